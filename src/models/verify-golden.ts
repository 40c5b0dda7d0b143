import type { GoldenRows } from './manifest.ts'
import { GoldenRowsDiffer } from './model-errors.ts'
import type { Scorer } from './scorer.ts'

/** A golden row that came out different. */
export type GoldenFault = {
  readonly row: number
  /** Place in the row's outputs. */
  readonly output: number
  readonly expected: number
  readonly actual: number
}

/** Scores rows: `outputs[row]`, in class order or the one value. A null is a missing value. */
export const scoreRows = (scorer: Scorer, rows: readonly (readonly (number | null)[])[]): number[][] => {
  const { outputs } = scorer
  const out = new Float64Array(rows.length * outputs)
  const features = Float64Array.from(rows.flat(), (value) => value ?? Number.NaN)
  scorer.scoreBlock(features, rows.length, out)
  return rows.map((_, row) => Array.from(out.subarray(row * outputs, (row + 1) * outputs)))
}

/** Scores the golden rows. @returns the first output that is off by more than the tolerance, or null */
export const compareGolden = (scorer: Scorer, golden: GoldenRows): GoldenFault | null => {
  const scored = scoreRows(scorer, golden.features)
  for (const [row, expectedRow] of golden.outputs.entries()) {
    for (const [output, expected] of expectedRow.entries()) {
      const actual = scored[row]?.[output] ?? Number.NaN
      // Written this way round so that NaN differs. A predicted number may be large: its last bits are relative.
      if (!(Math.abs(actual - expected) <= golden.tolerance * Math.max(1, Math.abs(expected)))) {
        return { row, output, expected, actual }
      }
    }
  }
  return null
}

/** @throws GoldenRowsDiffer if a golden row does not come out as it did after the training */
export const verifyGolden = (scorer: Scorer, golden: GoldenRows): void => {
  const fault = compareGolden(scorer, golden)
  if (fault === null) return
  const what = scorer.kind === 'regression' ? 'the value' : `class '${scorer.classNames[fault.output]}' the probability`
  throw new GoldenRowsDiffer(
    `golden row ${fault.row} gives ${what} ${fault.actual} instead of ${fault.expected} ` +
      `(tolerance ${golden.tolerance}); the model does not score here as it did after its training`,
  )
}
