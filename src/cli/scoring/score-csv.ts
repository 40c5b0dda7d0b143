import { DatasetInvalid } from '../../features/dataset.ts'
import type { ModelArtefact } from '../../models/manifest.ts'
import { columnOf, readHeader } from '../csv/csv-header.ts'
import { splitBlocks } from '../csv/split-blocks.ts'
import { openBlockScorer } from './open-block-scorer.ts'
import {
  type KeptColumns,
  MAX_FAULTS_TOLD,
  type OnError,
  type RowFault,
  type ScoredCsv,
  scoredHeader,
} from './score-block.ts'
import type { ScoringPlan, ScoringRequest } from './score-messages.ts'
import type { ScoringPool } from './scoring-pool.ts'

/** Blocks that each thread has at hand, so that none waits for the next one. */
const BACKLOG = 2
/** Blocks that are scored, or being scored, and not written yet: what memory the whole takes follows from it. */
const MAX_PENDING = 24

/** How far it is. */
export type ScoreProgress = { readonly rows: number; readonly bytesRead: number }

/** What a file came to. */
export type ScoreSummary = {
  /** Rows read. */
  readonly rows: number
  readonly faulty_rows: number
  /** The first of them, with their lines in the file. */
  readonly faults: readonly RowFault[]
  /** Values of category features that the model does not know. */
  readonly unknown_categories: number
}

export type ScoreCsvOptions = {
  readonly model: ModelArtefact
  readonly input: AsyncIterable<Uint8Array>
  /** What errors call the input. */
  readonly label: string
  /** Resolves when more may be written. */
  readonly write: (bytes: Uint8Array) => Promise<void>
  /** Columns of the input that are written before the scores. */
  readonly keep: 'none' | 'all' | readonly string[]
  readonly onError: OnError
  readonly explain: boolean
  /** Further threads that score beside this one. They are left open. */
  readonly pool: ScoringPool | null
  readonly onProgress?: (progress: ScoreProgress) => void
}

type Source = { plan: ScoringPlan; first: ScoringRequest; firstLine: number; header: string }

const planOf = (options: ScoreCsvOptions, names: readonly string[]): ScoringPlan => {
  const { model, label, keep, onError, explain } = options
  const { features, categories } = model.manifest
  const kept: KeptColumns = typeof keep === 'string' ? keep : keep.map((name) => columnOf(names, name, label))
  const columns = features.map((name, index) => ({
    name,
    column: columnOf(names, name, label),
    categories: categories[index] ?? [],
  }))
  return { model, features: columns, columns: names.length, keep: kept, onError, explain }
}

/** Reads as far as the header. */
const openSource = async (
  blocks: AsyncIterator<Uint8Array<ArrayBuffer>>,
  options: ScoreCsvOptions,
): Promise<Source> => {
  const { label, keep, explain, model } = options
  let lines = 0
  for (;;) {
    const { value: block, done } = await blocks.next()
    if (done === true)
      throw new DatasetInvalid(`${label} is empty; it needs a header line with the names of the columns`)
    const found = readHeader(block, label)
    if (found === null) {
      lines += block.filter((byte) => byte === 10).length
      continue
    }
    const kept = keep === 'all' ? found.names : keep === 'none' ? [] : keep
    const { kind, classes: classNames, features: featureNames } = model.manifest
    return {
      plan: planOf(options, found.names),
      first: { block, from: found.end },
      firstLine: lines + found.lines + 1,
      header: scoredHeader({ scorer: { kind, classNames, featureNames }, kept, explain }),
    }
  }
}

/**
 * Scores a stream of CSV of any size and writes the scores in its order. Columns are found by the names of the header,
 * in any order; those that the model does not know are ignored. Reading waits for writing. Blocks go to further threads
 * as long as these have little at hand, and are scored here otherwise.
 * @throws DatasetInvalid for a header without the model's features, and, where `onError` is `fail`, for the first row
 * that cannot be read; ArtefactCorrupt; ModelNotExplainable
 */
export const scoreCsv = async (options: ScoreCsvOptions): Promise<ScoreSummary> => {
  const { label, write, onError, pool } = options
  let bytesRead = 0
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of options.input) {
      bytesRead += chunk.length
      yield chunk
    }
  }
  const blocks = splitBlocks(counted(), label)
  const source = await openSource(blocks, options)
  pool?.open(source.plan)
  // Before anything is written: a model that cannot be used leaves no header behind.
  const scoreHere = await openBlockScorer(source.plan)
  await write(new TextEncoder().encode(source.header))

  const summary = { rows: 0, faulty_rows: 0, unknown_categories: 0, faults: [] as RowFault[] }
  let line = source.firstLine
  const emit = async (scored: ScoredCsv): Promise<void> => {
    const faults = scored.faults.map((fault) => ({ ...fault, line: line + fault.line - 1 }))
    if (onError === 'fail' && faults[0] !== undefined) {
      throw new DatasetInvalid(
        `${label}, line ${faults[0].line}: ${faults[0].message} (--on-error skip leaves such rows out, empty leaves them unscored)`,
      )
    }
    summary.rows += scored.rows
    summary.faulty_rows += scored.faultyRows
    summary.unknown_categories += scored.unknownCategories
    summary.faults.push(...faults.slice(0, MAX_FAULTS_TOLD - summary.faults.length))
    line += scored.lines
    await write(scored.output)
    options.onProgress?.({ rows: summary.rows, bytesRead })
  }

  const pending: (ScoredCsv | Promise<ScoredCsv>)[] = []
  const submit = (request: ScoringRequest): void => {
    if (pool === null || pool.backlog() >= BACKLOG) {
      pending.push(scoreHere(request.block, request.from))
      return
    }
    const promised = pool.score(request)
    // Where an earlier block fails, nobody asks what became of this one.
    promised.then(
      (scored) => {
        const at = pending.indexOf(promised)
        if (at >= 0) pending[at] = scored
      },
      () => undefined,
    )
    pending.push(promised)
  }
  /** Writes what is finished, in order, and waits for it where too much is pending. */
  const drain = async (most: number): Promise<void> => {
    while (pending.length > most || (pending.length > 0 && !(pending[0] instanceof Promise))) {
      await emit(await pending.shift()!)
    }
  }
  submit(source.first)
  for await (const block of blocks) {
    submit({ block, from: 0 })
    await drain(MAX_PENDING)
  }
  await drain(0)
  return summary
}
