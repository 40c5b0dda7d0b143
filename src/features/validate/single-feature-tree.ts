/** What a tree over one feature is to tell. */
export type TreeTarget =
  | { readonly kind: 'classification'; readonly labels: Int32Array; readonly classes: number }
  | { readonly kind: 'regression'; readonly targets: Float64Array }

/** Predicts from one value, NaN where it is missing: a class index, or a number. */
export type SingleFeatureRule = (value: number) => number

const MIN_LEAF_ROWS = 3

/** The most frequent class or the mean of the target over some rows; both are sums of one row after another. */
type Tally = { add: (row: number, weight: 1 | -1) => void; impurity: () => number; answer: () => number }

const classTally = (labels: Int32Array, classes: number): Tally => {
  const counts = new Float64Array(classes)
  let rows = 0
  let squares = 0
  return {
    add: (row, weight) => {
      const label = labels[row]!
      squares += weight * 2 * counts[label]! + 1
      counts[label] = counts[label]! + weight
      rows += weight
    },
    // rows * Gini impurity.
    impurity: () => (rows === 0 ? 0 : rows - squares / rows),
    answer: () => counts.reduce((best, count, index) => (count > counts[best]! ? index : best), 0),
  }
}

const numberTally = (targets: Float64Array): Tally => {
  let rows = 0
  let sum = 0
  let squares = 0
  return {
    add: (row, weight) => {
      const value = targets[row]!
      rows += weight
      sum += weight * value
      squares += weight * value * value
    },
    // Sum of squared distances from the mean.
    impurity: () => (rows === 0 ? 0 : squares - (sum * sum) / rows),
    answer: () => (rows === 0 ? 0 : sum / rows),
  }
}

const tallyOf = (target: TreeTarget): Tally =>
  target.kind === 'classification' ? classTally(target.labels, target.classes) : numberTally(target.targets)

/**
 * Grows a small decision tree on one feature: at each node the cut that lessens the impurity most.
 * @param values by row
 * @param rows the rows to learn from
 */
export const fitSingleFeatureTree = (
  values: Float64Array,
  target: TreeTarget,
  rows: Int32Array,
  maxDepth: number,
): SingleFeatureRule => {
  const missing = tallyOf(target)
  for (const row of rows) if (Number.isNaN(values[row]!)) missing.add(row, 1)
  const known = rows.filter((row) => !Number.isNaN(values[row]!)).sort((a, b) => values[a]! - values[b]!)

  /** Cuts between `known[from]` and `known[to - 1]`, and the answers between the cuts. */
  const cuts: number[] = []
  const answers: number[] = []
  const grow = (from: number, to: number, depth: number): void => {
    const left = tallyOf(target)
    const right = tallyOf(target)
    for (let i = from; i < to; i++) right.add(known[i]!, 1)
    const whole = right.impurity()
    const answer = right.answer()
    let best = whole - 1e-9 * Math.abs(whole)
    let place = -1
    for (let i = from; depth > 0 && i < to - MIN_LEAF_ROWS; i++) {
      left.add(known[i]!, 1)
      right.add(known[i]!, -1)
      if (i - from + 1 < MIN_LEAF_ROWS || values[known[i]!] === values[known[i + 1]!]) continue
      const impurity = left.impurity() + right.impurity()
      if (impurity >= best) continue
      best = impurity
      place = i + 1
    }
    if (place < 0) {
      answers.push(answer)
      return
    }
    grow(from, place, depth - 1)
    cuts.push((values[known[place - 1]!]! + values[known[place]!]!) / 2)
    grow(place, to, depth - 1)
  }
  grow(0, known.length, maxDepth)

  return (value) => {
    if (Number.isNaN(value)) return missing.answer()
    let low = 0
    let high = cuts.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (value <= cuts[middle]!) high = middle
      else low = middle + 1
    }
    return answers[low]!
  }
}
