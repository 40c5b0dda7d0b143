import { stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { Command, InvalidArgumentError, Option } from 'commander'
import { ConfigInvalid } from '../../errors.ts'
import {
  type CsvInput,
  type CsvOutput,
  isOutputClosed,
  openInput,
  openOutput,
  STANDARD_STREAM,
} from '../csv-streams.ts'
import type { OpenedModel } from '../open-model.ts'
import { createProgress } from '../progress.ts'
import { progressBar } from '../progress-bar.ts'
import type { OnError } from '../scoring/score-block.ts'
import { type ScoreProgress, type ScoreSummary, scoreCsv } from '../scoring/score-csv.ts'
import { createScoringPool, type ScoringPool } from '../scoring/scoring-pool.ts'
import { type TaskOptions, withTaskOptions } from '../task-options.ts'

/** More threads than this wait for the one that reads and writes. */
const MAX_THREADS = 8

/** A smaller file is scored before threads have started. */
const SMALL_FILE_BYTES = 2 * 1024 * 1024

const SHOW_EVERY_SECONDS = 0.2

type ScoreOptions = TaskOptions & {
  model: string
  in: string
  out: string
  explain?: boolean
  keepColumns?: true | string
  onError: OnError
  threads: number
}

const threadCount = (text: string): number => {
  const threads = Number(text)
  if (Number.isInteger(threads) && threads >= 1 && threads <= 64) return threads
  throw new InvalidArgumentError('it has to be a whole number from 1 to 64.')
}

const keptColumns = (given: true | string | undefined): 'none' | 'all' | readonly string[] => {
  if (given === undefined) return 'none'
  return given === true ? 'all' : given.split(',').map((name) => name.trim())
}

/** Most memory that this process has held at once, in MiB. */
const maxResidentMib = (): number => Math.round(process.resourceUsage().maxRSS / 1024)

const faultText = ({ faulty_rows, faults }: ScoreSummary, onError: OnError): string[] => {
  if (faulty_rows === 0) return []
  const what = onError === 'skip' ? 'were left out' : 'have empty scores'
  const shown = faults.map(({ line, message }) => `  line ${line}: ${message}`)
  const more = faulty_rows > faults.length ? [`  and ${faulty_rows - faults.length} more`] : []
  return [`${faulty_rows} rows cannot be read and ${what}:`, ...shown, ...more]
}

/** Whether two paths lead to the same file. */
const isSameFile = async (one: string, other: string): Promise<boolean> => {
  const [a, b] = await Promise.all([one, other].map((path) => stat(path).catch(() => null)))
  return a?.isFile() === true && b?.isFile() === true && a.dev === b.dev && a.ino === b.ino
}

const score = async (options: ScoreOptions): Promise<void> => {
  if (await isSameFile(options.in, options.out)) {
    throw new ConfigInvalid(`--out ${options.out} is the file that is read, and would be replaced: name another one`)
  }
  const input = await openInput(options.in)
  const isSmall = input.bytes !== null && input.bytes < SMALL_FILE_BYTES
  // This thread scores, too.
  const pool = isSmall || options.threads === 1 ? null : createScoringPool(options.threads - 1)
  try {
    // Loaded now: checking a model takes more code than scoring, and the threads start meanwhile.
    const { openModel } = await import('../open-model.ts')
    const model = await openModel(options.model, options)
    await scoreInto(await openOutput(options.out), { input, pool, model, options })
  } finally {
    await pool?.close()
  }
}

const scoreInto = async (
  output: CsvOutput,
  parts: { input: CsvInput; pool: ScoringPool | null; model: OpenedModel; options: ScoreOptions },
): Promise<void> => {
  const { input, pool, options } = parts
  const { artefact, source } = parts.model
  const progress = createProgress()
  const startedMs = performance.now()
  const elapsed = (): number => (performance.now() - startedMs) / 1000
  let shownSeconds = 0
  const show = ({ rows, bytesRead }: ScoreProgress): void => {
    const seconds = elapsed()
    if (seconds - shownSeconds < SHOW_EVERY_SECONDS) return
    shownSeconds = seconds
    progress.update(progressBar(input.bytes === null ? null : bytesRead / input.bytes, rows, seconds))
  }
  try {
    const summary = await scoreCsv({
      ...{ model: artefact, input: input.chunks, label: input.label, write: output.write },
      ...{ keep: keptColumns(options.keepColumns), onError: options.onError, pool },
      explain: options.explain === true,
      onProgress: show,
    })
    await output.commit()
    progress.stop()
    const seconds = elapsed()
    const rates = { rows_per_second: Math.round(summary.rows / seconds), max_rss_mib: maxResidentMib() }
    const result = { model: source, ...summary, seconds, ...rates }
    for (const line of faultText(summary, options.onError)) console.error(line)
    const unknown = summary.unknown_categories
    if (unknown > 0) console.error(`${unknown} values are categories that the model does not know; they were scored`)
    // The standard output may hold the scores.
    const print = options.out === STANDARD_STREAM ? console.error : console.log
    if (options.json) print(JSON.stringify({ ...result, out: options.out }))
    else print(`scored ${progressBar(null, summary.rows, seconds)} in ${seconds.toFixed(2)} s with ${source}`)
  } catch (error) {
    await output.discard()
    if (!isOutputClosed(error)) throw error
  } finally {
    progress.stop()
  }
}

export const scoreCommand = (): Command =>
  withTaskOptions(new Command('score'))
    .description('score a CSV file of any size with a model')
    .requiredOption('-m, --model <model>', 'a version, an alias, or a folder that "train --out" wrote')
    .requiredOption('-i, --in <file>', 'the CSV file to read; - is the standard input')
    .option('-o, --out <file>', 'the CSV file to write; - is the standard output', STANDARD_STREAM)
    .option('--explain', 'add what each feature contributes to the score of the predicted class (shap_<feature>)')
    .option('--keep-columns [names]', 'write columns of the input first: all, or those named, with commas between')
    .addOption(
      new Option('--on-error <how>', 'what becomes of a row that cannot be read')
        .choices(['fail', 'skip', 'empty'])
        .default('fail'),
    )
    .addOption(
      new Option('--threads <count>', 'threads that score')
        .argParser(threadCount)
        .default(Math.min(availableParallelism(), MAX_THREADS), 'one for each processor, at most 8'),
    )
    .addHelpText(
      'after',
      `
Columns are found by the names in the header; their order is free and others are ignored. An empty field is missing, in
a column of numbers also NA, N/A, NaN and null. A category that the model does not know is scored and counted.

Written are: prediction, and for classes probability_<class> each. With --json the last line is
{model, rows, faulty_rows, faults, unknown_categories, seconds, rows_per_second, max_rss_mib, out}; it goes to the
standard error where the scores go to the standard output. The file gets its name when it is finished.

Examples:
  driftline score --model production --in rows.csv --out scores.csv
  driftline score --model models/churn --in rows.csv --out scores.csv --keep-columns id --explain
  zcat rows.csv.gz | driftline score --model 3 --in - --on-error skip | head`,
    )
    .action(score)
