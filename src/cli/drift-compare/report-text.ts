import { formatTable } from '../table.ts'
import type { DriftReport, FeatureDrift } from './compare-tables.ts'

const small = (p: number | null): string => {
  if (p === null) return '-'
  return p !== 0 && p < 1e-4 ? p.toExponential(1) : p.toFixed(4)
}

const verdict = ({ drifted, missing_drifted, statistic }: FeatureDrift): string => {
  if (drifted && missing_drifted) return 'drifted, also in what is missing'
  if (missing_drifted) return 'drifted in what is missing'
  if (statistic === null) return 'no values to compare'
  return drifted ? 'drifted' : '-'
}

const share = (missing: number, rows: number): string => (rows === 0 ? '-' : `${((100 * missing) / rows).toFixed(1)} %`)

/** The report for a person. */
export const reportText = (report: DriftReport): string => {
  const { rows, features, skipped } = report
  const table = formatTable([
    ['FEATURE', 'TEST', 'STATISTIC', 'P', 'ADJUSTED', 'EFFECT', 'PSI', 'MISSING', 'VERDICT'],
    ...features.map((one) => [
      ...[one.feature, one.test === 'ks' ? 'KS' : 'chi-square', one.statistic?.toFixed(4) ?? '-'],
      ...[small(one.p_value), small(one.adjusted_p_value), one.effect?.toFixed(4) ?? '-', one.psi?.toFixed(4) ?? '-'],
      `${share(one.missing_reference, rows.reference)} -> ${share(one.missing_current, rows.current)}`,
      verdict(one),
    ]),
  ])
  const drifted = features.filter((one) => one.drifted || one.missing_drifted).length
  const others = [
    ...skipped.map(({ feature, reason }) => `left out: ${feature}: ${reason}`),
    ...report.only_in_reference.map((name) => `only in the reference: ${name}`),
    ...report.only_in_current.map((name) => `only in the current file: ${name}`),
  ]
  const summary =
    `${drifted} of ${features.length} features drifted (adjusted p below ${report.alpha}); ` +
    `${rows.reference} rows of reference, ${rows.current} current`
  return [table, ...(others.length > 0 ? ['', ...others] : []), '', summary].join('\n')
}
