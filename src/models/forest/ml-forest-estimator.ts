import { RandomForestClassifier } from 'ml-random-forest'
import type { MlForestParameters } from '../candidate.ts'
import { classTargetOf, type Estimator, rowOf, type TrainingRows } from '../estimator.ts'
import { FitFailed } from '../model-errors.ts'
import { type FlatForest, LEAF } from './flat-forest.ts'
import { packForest } from './forest-sections.ts'
import { nextDown } from './next-down.ts'

// 100 trees on 1,000 rows take the engine seconds, on 4,000 rows more than a minute, and each fold pays for it again.
const MAX_ROWS = 1000

/** A node as the engine keeps it. Both children, or none: then it is a leaf, whatever else it holds. */
type EngineNode = {
  readonly left?: EngineNode
  readonly right?: EngineNode
  readonly splitColumn?: number
  readonly splitValue?: number
  readonly distribution?: { readonly getRow: (row: number) => number[] }
}

export type EngineForest = {
  readonly trees: readonly EngineNode[]
  /** Per tree: which feature each of its columns is. */
  readonly columns: readonly (readonly number[])[]
  /** The engine's own prediction of filled rows: per row the vote of each tree, and the class. */
  readonly predict: (filled: TrainingRows) => { votes: number[][]; classes: number[] }
}

const matrixOf = (rows: TrainingRows): number[][] => Array.from({ length: rows.rows }, (_, row) => rowOf(rows, row))

/** Whether a value tells something: a number, or the code of a category that is known. */
const isKnown = (value: number, categories: number): boolean =>
  !Number.isNaN(value) && (categories === 0 || value < categories)

/**
 * The mean of each column's known values, of a category's codes too; 0 where there are none.
 * @throws FitFailed if the values are too large to be added
 */
export const columnMeans = ({ features, rows, columns, categories }: TrainingRows): Float64Array => {
  const means = new Float64Array(columns)
  for (let column = 0; column < columns; column++) {
    let count = 0
    let sum = 0
    for (let row = 0; row < rows; row++) {
      const value = features[row * columns + column]!
      if (!isKnown(value, categories[column]!)) continue
      count++
      sum += value
    }
    if (!Number.isFinite(sum)) {
      throw new FitFailed(`ml-random-forest: the values of feature ${column + 1} are too large; rescale it`)
    }
    means[column] = count === 0 ? 0 : sum / count
  }
  return means
}

/** The rows with the mean of its column in place of every value that is missing or an unknown category. */
export const fillMissing = (rows: TrainingRows, means: Float64Array): TrainingRows => {
  const { columns, categories } = rows
  const features = rows.features.map((value, at) => {
    const column = at % columns
    return isKnown(value, categories[column]!) ? value : means[column]!
  })
  return { ...rows, features }
}

/** @param filled rows without missing values */
export const trainMlForest = (filled: TrainingRows, parameters: MlForestParameters, seed: number): EngineForest => {
  const featuresPerTree = Math.max(1, Math.floor(filled.columns * parameters.maxFeatures))
  const engine = new RandomForestClassifier({
    nEstimators: parameters.trees,
    // The engine takes floor(columns * share). Half a feature more keeps rounding from losing one.
    maxFeatures: featuresPerTree === filled.columns ? 1 : (featuresPerTree + 0.5) / filled.columns,
    replacement: false,
    useSampleBagging: true,
    noOOB: true,
    seed,
    treeOptions: {
      maxDepth: parameters.maxDepth,
      // The engine makes a leaf of a node with at most this many rows.
      minNumSamples: parameters.minSamplesSplit - 1,
      // Its default of 0.01 stops at splits that still tell classes apart.
      gainThreshold: 0,
    },
  })
  engine.train(matrixOf(filled), Array.from(classTargetOf(filled).labels))
  const { estimators = [], indexes = [] } = engine
  return {
    trees: estimators.map((tree) => (tree as unknown as { root: EngineNode }).root),
    columns: indexes,
    predict: (asked) => ({
      votes: engine.predictionValues(matrixOf(asked)).to2DArray(),
      classes: engine.predict(matrixOf(asked)),
    }),
  }
}

/** The first of the greatest shares: a tree's vote, as the engine counts it. */
const voteOf = (node: EngineNode): number => {
  const shares = node.distribution?.getRow(0) ?? []
  if (shares.length === 0) throw new FitFailed('ml-random-forest made a leaf without a distribution')
  return shares.indexOf(Math.max(...shares))
}

/** How many of the rows come to each node. */
const countCover = (forest: Omit<FlatForest, 'cover'>, { features, rows, columns }: TrainingRows): Float64Array => {
  const cover = new Float64Array(forest.feature.length)
  for (const root of forest.roots) {
    for (let row = 0; row < rows; row++) {
      let node = root
      cover[node]!++
      while (forest.feature[node] !== LEAF) {
        const value = features[row * columns + forest.feature[node]!]!
        node = value <= forest.threshold[node]! ? forest.left[node]! : forest.right[node]!
        cover[node]!++
      }
    }
  }
  return cover
}

/**
 * The engine's trees as flat arrays. A leaf gives its whole weight to its tree's vote: the engine predicts the class
 * with most votes, so the forest's probabilities are its shares of votes. The engine splits by `<`, so a threshold is
 * the double below its own. A missing value goes the way of its column's mean.
 * @param filled the rows that the engine was trained on; `cover` counts them
 * @param means of the columns
 */
export const compileMlForest = (engine: EngineForest, filled: TrainingRows, means: Float64Array): FlatForest => {
  const { classes } = classTargetOf(filled)
  const feature: number[] = []
  const threshold: number[] = []
  const left: number[] = []
  const right: number[] = []
  const missingLeft: number[] = []

  const addNode = (node: EngineNode, columns: readonly number[]): number => {
    const at = feature.length
    if (node.left === undefined || node.right === undefined) {
      feature.push(LEAF)
      threshold.push(0)
      left.push(voteOf(node))
      right.push(0)
      missingLeft.push(0)
      return at
    }
    const column = columns[node.splitColumn!]!
    feature.push(column)
    threshold.push(nextDown(node.splitValue!))
    left.push(0)
    right.push(0)
    missingLeft.push(means[column]! < node.splitValue! ? 1 : 0)
    left[at] = addNode(node.left, columns)
    right[at] = addNode(node.right, columns)
    return at
  }

  const roots = engine.trees.map((root, tree) => addNode(root, engine.columns[tree]!))
  // One distribution per class: all of it on that class.
  const leaves = new Float64Array(classes * classes)
  for (let c = 0; c < classes; c++) leaves[c * classes + c] = 1
  const forest = {
    outputs: classes,
    roots: Int32Array.from(roots),
    feature: Int32Array.from(feature),
    threshold: Float64Array.from(threshold),
    left: Int32Array.from(left),
    right: Int32Array.from(right),
    missingLeft: Uint8Array.from(missingLeft),
    categorySet: new Int32Array(feature.length).fill(-1),
    categoryWords: new Int32Array(0),
    leaves,
    combine: { rule: 'mean' },
  } as const
  return { ...forest, cover: countCover(forest, filled) }
}

/**
 * A random forest of the package ml-random-forest; each tree sees a bootstrap sample of the rows and a random part of
 * the features. It knows neither missing values nor categories: it is given the column's mean for the former, and the
 * codes of the latter as numbers.
 */
export const createMlForestEstimator = (parameters: MlForestParameters): Estimator => ({
  maxRows: MAX_ROWS,
  kinds: ['classification'],
  fit: (rows, seed) => {
    const means = columnMeans(rows)
    const filled = fillMissing(rows, means)
    return packForest(compileMlForest(trainMlForest(filled, parameters, seed), filled, means))
  },
})
