import { Command, InvalidArgumentError, Option } from 'commander'
import type { Correction } from '../../drift/adjust.ts'
import { ConfigInvalid } from '../../errors.ts'
import { DatasetInvalid } from '../../features/dataset.ts'
import { compareTables, type NamedTable } from '../drift-compare/compare-tables.ts'
import { ComparisonInvalid } from '../drift-compare/comparison-invalid.ts'
import { reportText } from '../drift-compare/report-text.ts'
import { exitCodes } from '../exit-codes.ts'
import { readTable } from '../read-table.ts'

type CompareCommandOptions = {
  reference: string
  current: string
  columns?: string[]
  alpha: number
  correction: Correction
  minEffect: number
  failOnDrift?: boolean
  json?: boolean
}

const readNamedTable = async (path: string): Promise<NamedTable> => {
  try {
    return { label: path, table: await readTable(path) }
  } catch (error) {
    if (!(error instanceof ConfigInvalid || error instanceof DatasetInvalid)) throw error
    throw new ComparisonInvalid(error.message, { cause: error.cause })
  }
}

const numberFrom =
  (least: number, isAllowed: (value: number) => boolean, allowed: string) =>
  (text: string): number => {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (!(value >= least && isAllowed(value))) throw new InvalidArgumentError(`it must be a number ${allowed}`)
    return value
  }

const columnList = (text: string): string[] => {
  const names = text.split(',').map((name) => name.trim())
  if (names.some((name) => name === '')) throw new InvalidArgumentError('name columns with commas between them')
  return names
}

const compareFiles = async (options: CompareCommandOptions): Promise<void> => {
  const [reference, current] = await Promise.all([readNamedTable(options.reference), readNamedTable(options.current)])
  const report = compareTables(reference, current, { ...options, columns: options.columns ?? null })
  console.log(options.json ? JSON.stringify(report) : reportText(report))
  if (options.failOnDrift && report.drifted) process.exitCode = exitCodes.failed
}

export const driftCommand = (): Command => {
  const command = new Command('drift').description('tell whether data has changed')

  command
    .command('compare')
    .description('compare the columns of two CSV files, feature by feature')
    .requiredOption('--reference <file>', 'the rows to compare with, such as those of the training')
    .requiredOption('--current <file>', 'the rows that may have drifted')
    .addOption(
      new Option('--columns <names>', 'compare these columns only, with commas between them').argParser(columnList),
    )
    .addOption(
      new Option('--alpha <p>', 'adjusted p-value below which a feature drifted')
        .argParser(numberFrom(0, (value) => value > 0 && value < 1, 'between 0 and 1'))
        .default(0.05),
    )
    .addOption(
      new Option('--correction <method>', 'how p-values are adjusted for the number of features')
        .choices(['benjamini-hochberg', 'bonferroni', 'none'])
        .default('benjamini-hochberg'),
    )
    .addOption(
      new Option(
        '--min-effect <share>',
        'least effect of a drifted feature, so that many rows make no alarm of a trifle',
      )
        .argParser(numberFrom(0, (value) => value <= 1, 'from 0 to 1'))
        .default(0),
    )
    .option('--fail-on-drift', 'end with exit code 1 if a feature drifted')
    .option('--json', 'print the result as one JSON object on the last line')
    .addHelpText(
      'after',
      `
Columns of numbers are compared by the two-sample Kolmogorov-Smirnov test, columns of text by the chi-square test with
one category for texts that the reference does not have. Whether values are missing as often is tested apart. The
effect, from 0 to 1, is the Kolmogorov-Smirnov D, or for text the share of rows that would have to change their
category. PSI is the population stability index over the deciles or the categories of the reference.

Exit codes: 0 compared, 1 drifted with --fail-on-drift, 2 a file or column cannot be compared.

Examples:
  driftline drift compare --reference train.csv --current today.csv
  driftline drift compare --reference train.csv --current today.csv --columns age,country --alpha 0.01 --json
  driftline drift compare --reference train.csv --current today.csv --min-effect 0.1 --fail-on-drift`,
    )
    .action(compareFiles)

  return command
}
