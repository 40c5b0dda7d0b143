import type { Agreement, ClassAgreement } from '../../models/compare/agreement.ts'
import { formatTable } from '../table.ts'
import type { RowsAgreement } from './compare-rows.ts'

/** What a replay ends with. */
export type ReplayReport = RowsAgreement & {
  readonly task: string
  /** The version that scored again. */
  readonly model_version: string
  /** As asked for. */
  readonly from: string
  readonly to: string
  /** What was read of the features topic: from the first offset, included, to the last, excluded. */
  readonly ranges: readonly { readonly partition: number; readonly from: number; readonly to: number }[]
  /** Where the predictions went; null where they were only compared. */
  readonly to_topic: string | null
  readonly group: string | null
  /** Whether an earlier run had begun with it. */
  readonly went_on: boolean
  /** What this run wrote. */
  readonly written: number
  /** Events that could not be read or scored, in this run, by the code of their dead letter. */
  readonly refused: Readonly<Record<string, number>>
  /** Published predictions that were published again much later, and not compared again. */
  readonly republished: number
  readonly seconds: number
}

const percent = (share: number | null): string => (share === null ? '-' : `${(share * 100).toFixed(2)} %`)

const figure = (value: number | null | undefined): string =>
  value === null || value === undefined ? '-' : String(Number(value.toPrecision(4)))

const rowOf = (name: string, agreement: Agreement): string[] =>
  agreement.kind === 'classification'
    ? [
        ...[name, String(agreement.rows), percent(agreement.share_equal)],
        ...[agreement.probabilities?.mean_absolute_difference, agreement.probabilities?.max_absolute_difference].map(
          figure,
        ),
      ]
    : [
        ...[name, String(agreement.rows), percent(agreement.share_equal), percent(agreement.share_within_1_percent)],
        ...[agreement.rmse, agreement.mae, agreement.mean_difference, agreement.max_absolute_difference].map(figure),
      ]

const headOf = ({ kind }: Agreement): string[] =>
  kind === 'classification'
    ? ['PUBLISHED VERSION', 'ROWS', 'SAME CLASS', 'MEAN DIFFERENCE', 'MAX DIFFERENCE']
    : ['PUBLISHED VERSION', 'ROWS', 'SAME NUMBER', 'WITHIN 1 %', 'RMSE', 'MAE', 'MEAN DIFFERENCE', 'MAX DIFFERENCE']

const confusionText = ({ classes, confusion }: ClassAgreement): string =>
  formatTable([
    ['PUBLISHED \\ REPLAYED', ...classes],
    ...classes.map((name, line) => [name, ...(confusion[line] ?? []).map(String)]),
  ])

/** A report for people. */
export const reportText = (report: ReplayReport): string => {
  const { overall, by_published_version: versions, refused } = report
  const faults = Object.entries(refused).map(([code, count]) => `${count} ${code}`)
  const written = report.to_topic === null ? [] : [`written to ${report.to_topic}: ${report.written} in this run`]
  const sides = [
    [report.only_replayed, 'events have no published prediction'],
    [report.only_published, 'published predictions have no replayed one'],
    [report.republished, 'predictions were published again later; the first ones were compared'],
  ] as const
  const rows = versions.map(({ model_version, agreement }) => rowOf(model_version, agreement))
  return [
    `version ${report.model_version} on the events from ${report.from} to ${report.to}, against what was published`,
    '',
    formatTable([headOf(overall), ...rows, ...(rows.length === 1 ? [] : [rowOf('all', overall)])]),
    ...(overall.kind === 'classification' && overall.rows > 0 ? ['', confusionText(overall)] : []),
    '',
    ...sides.flatMap(([count, text]) => (count === 0 ? [] : [`${count} ${text}`])),
    ...(faults.length === 0 ? [] : [`events that could not be read or scored: ${faults.join(', ')}`]),
    ...written,
    `${report.seconds.toFixed(2)} s`,
  ].join('\n')
}
