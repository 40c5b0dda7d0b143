import type { Candidate } from '../candidate.ts'

const MIB = 2 ** 20

/** Arrays of a node of a forest: feature, threshold, two children, cover, and the leaf's numbers. */
const NODE_BYTES = 64

/** An object of a library's tree, with its hidden fields. */
const NODE_OBJECT_BYTES = 400

/** LIBSVM's own cache of kernel rows. */
const LIBSVM_CACHE_BYTES = 100 * MIB

const LBFGS_PAIRS = 10

/** Nodes of a tree: as many leaves as there are rows to fill them, or as many nodes as the depth allows. */
const treeNodes = (rows: number, maxDepth: number, minSamplesLeaf: number): number =>
  Math.min((2 * rows) / minSamplesLeaf, 2 ** Math.min(40, maxDepth + 1))

/** What the engine keeps beside the rows that it is given. */
const engineBytes = (candidate: Candidate, rows: number, columns: number, outputs: number): number => {
  switch (candidate.engine) {
    case 'histogram': {
      const { trees, maxDepth, minSamplesLeaf } = candidate.parameters
      const nodes = trees * treeNodes(rows, maxDepth, minSamplesLeaf)
      return rows * columns + 16 * rows + nodes * (NODE_BYTES + 8 * outputs)
    }
    case 'ml-random-forest': {
      const { trees, maxDepth } = candidate.parameters
      // Each tree draws rows of its own, as arrays.
      return trees * treeNodes(rows, maxDepth, 1) * NODE_OBJECT_BYTES + trees * rows * 8 + 3 * rows * columns * 8
    }
    case 'libsvm':
      return LIBSVM_CACHE_BYTES + rows * (columns + 1) * 16 * 2
    case 'ml-svm':
      // The whole kernel matrix, as arrays of numbers, and the rows as arrays.
      return rows * rows * 8 + 2 * rows * columns * 8
    case 'lbfgs':
      return 2 * rows * outputs * 8 + 2 * LBFGS_PAIRS * outputs * (columns + 1) * 8
    case 'ml-logistic-regression':
      return 4 * rows * columns * 8
    case 'cholesky':
      return 2 * columns * columns * 8
  }
}

/**
 * Memory that a fit takes at most, roughly, in MiB: the rows twice, as they are and as the engine reads them, and what
 * the engine adds. An estimate from the sizes alone, before anything is done.
 * @param columns columns that the engine reads
 * @param outputs classes, or 1 for a regression
 */
export const estimateFitMiB = (candidate: Candidate, rows: number, columns: number, outputs: number): number =>
  (2 * rows * columns * 8 + engineBytes(candidate, rows, columns, outputs)) / MIB
