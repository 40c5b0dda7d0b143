import type { FlatForest } from '../../src/models/forest/flat-forest.ts'

type NodeArrays = 'roots' | 'feature' | 'threshold' | 'left' | 'right' | 'cover' | 'leaves'

/** What `flat` of sklearn_forest.py gives. */
export type SklearnForest = Record<NodeArrays, number[]> & { outputs: number }

/** A scikit-learn forest, fitted to rows without missing values, in our arrays. */
export const forestOf = (forest: SklearnForest): FlatForest => ({
  outputs: forest.outputs,
  roots: Int32Array.from(forest.roots),
  feature: Int32Array.from(forest.feature),
  threshold: Float64Array.from(forest.threshold),
  left: Int32Array.from(forest.left),
  right: Int32Array.from(forest.right),
  missingLeft: new Uint8Array(forest.feature.length),
  categorySet: new Int32Array(forest.feature.length).fill(-1),
  categoryWords: new Int32Array(0),
  cover: Float64Array.from(forest.cover),
  leaves: Float64Array.from(forest.leaves),
  combine: { rule: 'mean' },
})
