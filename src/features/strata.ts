import type { Dataset } from './dataset.ts'

/** Groups of like rows, from which parts of a dataset are drawn in equal shares. */
export type Strata = { readonly labels: Int32Array; readonly count: number }

/**
 * The strata of rows: their classes; or for numbers, runs of `rowsPerStratum` rows by ascending target, the last of
 * which takes what is left over. Rows of equal targets keep their order.
 */
export const strataOf = (dataset: Dataset, rowsPerStratum: number): Strata => {
  if (dataset.kind === 'classification') return { labels: dataset.labels, count: dataset.classNames.length }
  const { rows, targets } = dataset
  const count = Math.max(1, Math.floor(rows / rowsPerStratum))
  const labels = new Int32Array(rows)
  const ascending = Uint32Array.from(targets, (_, row) => row).sort((a, b) => targets[a]! - targets[b]! || a - b)
  ascending.forEach((row, rank) => {
    labels[row] = Math.min(count - 1, Math.floor(rank / rowsPerStratum))
  })
  return { labels, count }
}
