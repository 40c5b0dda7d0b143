import type { RowExplainer } from '../../models/explain/explainer.ts'
import type { Scorer } from '../../models/scorer.ts'
import { createCsvWriter, csvField } from '../csv/csv-writer.ts'
import { NOT_PLAIN, readPlainRow } from '../csv/plain-row.ts'
import { createRecordFields, isEmptyLine, QUOTING, readRecord } from '../csv/record-fields.ts'
import { createRowReader, type FeatureColumn } from './row-reader.ts'
import { createClassWriter } from './score-writer.ts'

/** Rows that are scored together. */
const BATCH_ROWS = 1024
/** Faults that are told by their lines; the others are counted. */
export const MAX_FAULTS_TOLD = 20

/** What becomes of a row that cannot be read. */
export type OnError = 'fail' | 'skip' | 'empty'

/** What of the input is written before the scores. */
export type KeptColumns =
  | 'none'
  | 'all'
  /** Their places. */
  | readonly number[]

/** Where a row cannot be read: its line counted from the beginning of the block, 1 for the first. */
export type RowFault = { readonly line: number; readonly message: string }

/** What a block of CSV came to. */
export type ScoredCsv = {
  /** CSV, a line for each row. */
  readonly output: Uint8Array<ArrayBuffer>
  /** Rows read, the faulty ones too. */
  readonly rows: number
  readonly lines: number
  readonly faultyRows: number
  /** The first of them. */
  readonly faults: readonly RowFault[]
  readonly unknownCategories: number
}

export type BlockScorerOptions = {
  readonly scorer: Scorer
  readonly features: readonly FeatureColumn[]
  /** Columns of the file. */
  readonly columns: number
  readonly keep: KeptColumns
  readonly onError: OnError
  /** Null where nothing is explained. */
  readonly explainer: RowExplainer | null
}

const encoder = new TextEncoder()

/** The header of what `createBlockScorer` writes. */
export const scoredHeader = (options: {
  scorer: Pick<Scorer, 'kind' | 'classNames' | 'featureNames'>
  kept: readonly string[]
  explain: boolean
}): string => {
  const { scorer, kept, explain } = options
  const scores = ['prediction', ...scorer.classNames.map((name) => `probability_${name}`)]
  const contributions = explain ? scorer.featureNames.map((name) => `shap_${name}`) : []
  return `${[...kept, ...scores, ...contributions].map(csvField).join(',')}\n`
}

/**
 * Scores CSV, block by block: reads the features by their columns, scores 1,024 rows at a time, writes the predicted
 * class with all probabilities, or the predicted number. It keeps its working memory, so one serves one thread.
 * @returns reads the records of `block[from, block.length)`; the last byte is a line feed
 */
export const createBlockScorer = (options: BlockScorerOptions): ((block: Uint8Array, from: number) => ScoredCsv) => {
  const { scorer, keep, onError, explainer } = options
  const { outputs } = scorer
  const width = options.features.length
  const isClassification = scorer.kind === 'classification'

  let unknownCategories = 0
  const readRow = createRowReader({
    features: options.features,
    columns: options.columns,
    onUnknownCategory: () => {
      unknownCategories++
    },
  })
  const fields = createRecordFields(options.columns)
  const writer = createCsvWriter()
  const emptyScores = encoder.encode(','.repeat((isClassification ? outputs : 0) + (explainer === null ? 0 : width)))

  const features = new Float64Array(BATCH_ROWS * width)
  const scores = new Float64Array(BATCH_ROWS * outputs)
  const writeClass = isClassification ? createClassWriter(scorer.classNames, scores) : null
  const contributions = new Float64Array(explainer === null ? 0 : width * outputs)
  // Of each row of the batch: the kept text, and whether it is scored.
  const keptColumns = typeof keep === 'string' ? [] : keep
  const keptPerRow = keep === 'all' ? 1 : keptColumns.length
  const keptStarts = new Int32Array(BATCH_ROWS * keptPerRow)
  const keptEnds = new Int32Array(BATCH_ROWS * keptPerRow)
  const isScored = new Uint8Array(BATCH_ROWS)
  let batch = 0
  let scored = 0

  // Where every feature is a number and nothing else of a row is kept, most rows need no list of their fields.
  const isPlain = keep === 'none' && options.features.every(({ categories }) => categories.length === 0)
  const plainPlaces = isPlain ? new Int32Array(options.columns).fill(-1) : null
  options.features.forEach(({ column }, place) => {
    if (plainPlaces !== null) plainPlaces[column] = place
  })

  const remember = (start: number): void => {
    const at = batch * keptPerRow
    if (keep === 'all') {
      keptStarts[at] = start
      keptEnds[at] = fields.end
      return
    }
    for (let i = 0; i < keptPerRow; i++) {
      const column = keptColumns[i]!
      if (column >= fields.count) {
        keptStarts[at + i] = 0
        keptEnds[at + i] = 0
        continue
      }
      // With its quotes: what is quoted has to stay so.
      const quotes = fields.quoting[column] === QUOTING.none ? 0 : 1
      keptStarts[at + i] = fields.starts[column]! - quotes
      keptEnds[at + i] = fields.ends[column]! + quotes
    }
  }

  const writeKept = (block: Uint8Array, row: number): void => {
    for (let i = row * keptPerRow; i < (row + 1) * keptPerRow; i++) {
      let end = keptEnds[i]!
      // A line of the input may end with CR and LF.
      if (keep === 'all' && block[end - 1] === 13) end--
      writer.bytes(block, keptStarts[i]!, end)
      writer.comma()
    }
  }

  const writeScores = (row: number): void => {
    let best = 0
    if (writeClass === null) writer.number(scores[row]!)
    else best = writeClass(writer, row)
    if (explainer === null) return
    explainer.explain(features, contributions, row * width)
    for (let column = 0; column < width; column++) {
      writer.comma()
      writer.number(contributions[column * outputs + best]!)
    }
  }

  const flush = (block: Uint8Array): void => {
    scorer.scoreBlock(features, scored, scores)
    let row = 0
    for (let i = 0; i < batch; i++) {
      writeKept(block, i)
      if (isScored[i] === 1) writeScores(row++)
      else writer.bytes(emptyScores, 0, emptyScores.length)
      writer.endLine()
    }
    batch = 0
    scored = 0
  }

  return (block, from) => {
    let rows = 0
    let lines = 0
    let faultyRows = 0
    const faults: RowFault[] = []
    unknownCategories = 0
    for (let at = from; at < block.length; ) {
      const start = at
      const next = plainPlaces === null ? NOT_PLAIN : readPlainRow(block, at, plainPlaces, features, scored * width)
      if (next !== NOT_PLAIN) {
        at = next
        lines++
        rows++
        scored++
        isScored[batch++] = 1
        if (batch === BATCH_ROWS) flush(block)
        continue
      }
      at = readRecord(block, start, block.length, fields)
      const line = lines + 1
      lines += fields.lines
      if (isEmptyLine(fields)) continue
      rows++
      const fault = readRow(block, fields, features, scored * width)
      if (fault !== null) {
        faultyRows++
        if (faults.length < MAX_FAULTS_TOLD) faults.push({ line, message: fault })
        if (onError === 'fail') break
        if (onError === 'skip') continue
      }
      remember(start)
      isScored[batch++] = fault === null ? 1 : 0
      if (fault === null) scored++
      if (batch === BATCH_ROWS) flush(block)
    }
    flush(block)
    return { output: writer.take(), rows, lines, faultyRows, faults, unknownCategories }
  }
}
