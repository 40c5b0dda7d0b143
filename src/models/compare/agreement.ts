import type { ClassAlignment } from './align-classes.ts'

/** What a model said of one event; a prediction is one. */
export type Opinion = {
  /** The name of the class; not looked at where numbers are predicted. */
  readonly prediction: string
  /** In the class order of the model that gave them. */
  readonly probabilities: readonly number[]
  /** The predicted number; null for a class. */
  readonly value: number | null
}

/** How far two models agree on the class of the same events. */
export type ClassAgreement = {
  readonly kind: 'classification'
  readonly rows: number
  /** Rows of which both name the same class. */
  readonly equal: number
  /** Null without rows. */
  readonly share_equal: number | null
  readonly classes: readonly string[]
  /** Rows by the published class (line) and the replayed class (column), in the order of `classes`. */
  readonly confusion: readonly (readonly number[])[]
  /** Over all rows and classes; null where no row has probabilities whose classes are known. */
  readonly probabilities: {
    readonly rows: number
    readonly mean_absolute_difference: number
    readonly max_absolute_difference: number
  } | null
}

/** How far two models agree on the number of the same events. Figures are null without rows. */
export type NumberAgreement = {
  readonly kind: 'regression'
  readonly rows: number
  /** Rows with the same number to the last bit. */
  readonly equal: number
  readonly share_equal: number | null
  /** Rows whose numbers differ by at most 1 % of the larger one. */
  readonly share_within_1_percent: number | null
  /** Replayed less published. */
  readonly mean_difference: number | null
  readonly mae: number | null
  readonly rmse: number | null
  readonly max_absolute_difference: number | null
}

export type Agreement = ClassAgreement | NumberAgreement

/** Counts pairs of opinions; it keeps no rows. */
export type AgreementCount = {
  /**
   * @param aligned the class orders of the two models (left: published), or null where one of them is not known any
   * more: then the classes are compared and the probabilities are not
   */
  readonly add: (published: Opinion, replayed: Opinion, aligned: ClassAlignment | null) => void
  readonly result: () => Agreement
}

const share = (part: number, rows: number): number | null => (rows === 0 ? null : part / rows)

type ClassCounts = {
  /** By published class, then by replayed class. */
  readonly cells: Map<string, Map<string, number>>
  rows: number
  equal: number
  probabilityRows: number
  /** Sum over rows of the mean over classes. */
  differences: number
  maxDifference: number
}

const classResult = (counts: ClassCounts, order: readonly string[]): ClassAgreement => {
  const { cells, rows, equal, probabilityRows, differences, maxDifference } = counts
  const seen = [...cells.entries()].flatMap(([published, line]) => [published, ...line.keys()])
  const classes = [...new Set([...order, ...seen])]
  return {
    kind: 'classification',
    rows,
    equal,
    share_equal: share(equal, rows),
    classes,
    confusion: classes.map((published) => classes.map((replayed) => cells.get(published)?.get(replayed) ?? 0)),
    probabilities:
      probabilityRows === 0
        ? null
        : {
            rows: probabilityRows,
            mean_absolute_difference: differences / probabilityRows,
            max_absolute_difference: maxDifference,
          },
  }
}

/**
 * Counts how far two models agree on classes.
 * @param order the classes that the result lists first, rows or not
 */
export const countClassAgreement = (order: readonly string[]): AgreementCount => {
  const counts: ClassCounts = {
    cells: new Map(),
    ...{ rows: 0, equal: 0, probabilityRows: 0, differences: 0, maxDifference: 0 },
  }

  const addProbabilities = (published: readonly number[], replayed: readonly number[], aligned: ClassAlignment) => {
    if (published.length !== aligned.leftClasses || replayed.length !== aligned.rightClasses) return
    const { left, right } = aligned
    let sum = 0
    for (let c = 0; c < left.length; c++) {
      // A class that a model does not know has the probability 0.
      const difference = Math.abs((published[left[c]!] ?? 0) - (replayed[right[c]!] ?? 0))
      sum += difference
      if (difference > counts.maxDifference) counts.maxDifference = difference
    }
    counts.probabilityRows += 1
    counts.differences += sum / left.length
  }

  return {
    add: (published, replayed, aligned) => {
      counts.rows += 1
      if (published.prediction === replayed.prediction) counts.equal += 1
      const line = counts.cells.get(published.prediction) ?? new Map<string, number>()
      counts.cells.set(published.prediction, line)
      line.set(replayed.prediction, (line.get(replayed.prediction) ?? 0) + 1)
      if (aligned !== null) addProbabilities(published.probabilities, replayed.probabilities, aligned)
    },
    result: () => classResult(counts, order),
  }
}

/** Numbers that differ by no more than this share of the larger one count as near. */
const NEAR = 0.01

export const isNear = (a: number, b: number): boolean => Math.abs(a - b) <= NEAR * Math.max(Math.abs(a), Math.abs(b))

/** Counts how far two models agree on numbers. A row without a number on one side is not counted. */
export const countNumberAgreement = (): AgreementCount => {
  let rows = 0
  let equal = 0
  let near = 0
  let sum = 0
  let absolute = 0
  let squares = 0
  let max = 0
  return {
    add: ({ value: before }, { value: after }) => {
      if (before === null || after === null) return
      const difference = after - before
      const distance = Math.abs(difference)
      rows += 1
      if (distance === 0) equal += 1
      if (isNear(before, after)) near += 1
      sum += difference
      absolute += distance
      squares += distance * distance
      if (distance > max) max = distance
    },
    result: () => ({
      kind: 'regression',
      rows,
      equal,
      share_equal: share(equal, rows),
      share_within_1_percent: share(near, rows),
      mean_difference: share(sum, rows),
      mae: share(absolute, rows),
      rmse: rows === 0 ? null : Math.sqrt(squares / rows),
      max_absolute_difference: rows === 0 ? null : max,
    }),
  }
}
