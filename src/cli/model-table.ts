import { headlineOf } from '../models/headline.ts'
import type { CandidateReport, Evaluation, ModelManifest, RunRecord } from '../models/manifest.ts'
import { formatTable } from './table.ts'

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`

/** Accuracy in percent; R2, which is no share, as it is. */
const headlineText = (evaluation: Evaluation): string => {
  const { metric, value } = headlineOf(evaluation)
  return metric === 'r2' ? value.toFixed(4) : percent(value)
}

const candidateRow = (report: CandidateReport, run: RunRecord, winner: string): string[] => {
  const name = report.name === winner ? `${report.name} *` : report.name
  if (report.status === 'skipped') return [name, report.engine, `skipped: ${report.reason}`]
  const { metric, mean, sd } = report.cv
  const score =
    metric === 'r2' ? `${mean.toFixed(4)} ± ${sd.toFixed(4)}` : `${percent(mean)} ± ${(sd * 100).toFixed(2)}`
  if (report.test === undefined) return [name, report.engine, score]
  return [
    name,
    report.engine,
    score,
    headlineText(report.test),
    `${(run.fit_seconds[report.name] ?? 0).toFixed(3)} s`,
    `${((run.artefact_bytes[report.name] ?? 0) / 1024).toFixed(1)} KiB`,
  ]
}

/** How the candidates of a training did; the winner has a star. */
export const candidateTable = (manifest: ModelManifest, run: RunRecord): string =>
  formatTable([
    ['candidate', 'engine', 'cross-validation', 'test', 'fit', 'size'],
    ...manifest.candidates.map((report) => candidateRow(report, run, manifest.name)),
  ])

/** The confusion matrix and the rates of each class. */
export const evaluationTables = (evaluation: Evaluation): string => {
  if (evaluation.kind === 'regression') {
    const { r2, rmse, mae } = evaluation
    return formatTable([
      ['R2', 'RMSE', 'MAE'],
      [r2.toFixed(4), rmse.toPrecision(5), mae.toPrecision(5)],
    ])
  }
  const classes = evaluation.per_class.map((metrics) => metrics.class)
  const rates = formatTable([
    ['class', 'precision', 'recall', 'F1', 'rows'],
    ...evaluation.per_class.map((metrics) => [
      metrics.class,
      percent(metrics.precision),
      percent(metrics.recall),
      percent(metrics.f1),
      String(metrics.support),
    ]),
  ])
  const confusion = formatTable([
    ['actual \\ predicted', ...classes],
    ...evaluation.confusion.map((row, index) => [classes[index] ?? '', ...row.map(String)]),
  ])
  return `${rates}\n\n${confusion}`
}
