import type { ModelKind } from './candidate.ts'
import type { NamedArray } from './sections.ts'

/** What is to be learnt of each row. */
export type TrainingTarget =
  | {
      readonly kind: 'classification'
      /** Class indices, one per row; every class occurs. */
      readonly labels: Int32Array
      readonly classes: number
    }
  | {
      readonly kind: 'regression'
      /** Finite numbers, one per row. */
      readonly values: Float64Array
    }

/** Rows to fit, in the form that the engine's `input` asks for. */
export type TrainingRows = {
  /** Row-major, `rows * columns`. */
  readonly features: Float64Array
  readonly rows: number
  readonly columns: number
  /**
   * For `raw` input: how many categories each column has, 0 for a number. A category is given by its code, from 0 on;
   * one that is not known by the number of categories. All 0 for `standardised` input.
   */
  readonly categories: Int32Array
  readonly target: TrainingTarget
}

/** One engine with its parameters. What it fits comes back compiled to flat arrays, which is all that scoring sees. */
export type Estimator = {
  /** Beyond this many rows the engine takes too long to be worth it; infinity where it scales. */
  readonly maxRows: number
  readonly kinds: readonly ModelKind[]
  /**
   * The same rows and seed give the same arrays.
   * @param seed 32-bit whole number
   * @throws FitFailed
   */
  readonly fit: (rows: TrainingRows, seed: number) => NamedArray[]
}

/** Row `row` as an array of its own, as the engines want it. */
export const rowOf = (rows: TrainingRows, row: number): number[] =>
  Array.from(rows.features.subarray(row * rows.columns, (row + 1) * rows.columns))

/** The classes of rows that an engine for classes alone is given. @throws TypeError for a regression, a mistake in code */
export const classTargetOf = (rows: TrainingRows): Extract<TrainingTarget, { kind: 'classification' }> => {
  if (rows.target.kind === 'regression') throw new TypeError('this engine fits classes, and the rows have numbers')
  return rows.target
}

/** The numbers of rows that an engine for numbers alone is given. @throws TypeError for classes, a mistake in code */
export const numberTargetOf = (rows: TrainingRows): Extract<TrainingTarget, { kind: 'regression' }> => {
  if (rows.target.kind === 'classification') throw new TypeError('this engine fits numbers, and the rows have classes')
  return rows.target
}
