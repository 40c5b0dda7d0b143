import { createRandom, type Random } from '../../../features/random.ts'

/** The random numbers of one tree: the same for a seed and a tree, whichever thread grows it. */
export const treeRandom = (seed: number, tree: number): Random => createRandom(seed, `tree ${tree}`)

/**
 * How often each row is drawn for a tree: `weights.length` draws with replacement, or each row once. They are the
 * first numbers taken of `treeRandom`, so that the rows which a tree did not see can be told again later.
 */
export const drawRows = (bootstrap: boolean, random: Random, weights: Int32Array): void => {
  if (!bootstrap) {
    weights.fill(1)
    return
  }
  const rows = weights.length
  weights.fill(0)
  for (let draw = 0; draw < rows; draw++) {
    // A multiple of 2^-32 times the rows: no row is likelier than another by more than rows / 2^32.
    const row = Math.floor(random.next() * rows)
    weights[row] = weights[row]! + 1
  }
}
