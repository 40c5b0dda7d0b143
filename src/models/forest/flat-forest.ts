/** What `feature` holds for a leaf. */
export const LEAF = -1

/**
 * A forest as plain flat arrays: the form in which trainers make it and everything but the hot scoring loop reads it
 * (importances, SHAP values, export, import). Nodes of a tree are contiguous, its root first, children after their
 * parent. One element per node unless said.
 *
 * A row goes left where `value <= threshold`, in float64. A missing value (NaN), and a category that the training did
 * not know, goes left where `missingLeft` is 1. At a node with a category set, a row goes left where the set holds its
 * category's code.
 */
export type FlatForest = {
  /** Numbers that a leaf gives: one per class, or one for a regression. */
  readonly outputs: number
  /** First node of each tree. */
  readonly roots: Int32Array
  /** The feature that is asked for, or `LEAF`. */
  readonly feature: Int32Array
  /** NaN-free; 0 at leaves and at nodes with a category set. */
  readonly threshold: Float64Array
  /** Node index; in a leaf `left` is its row of `leaves`, and `right` is 0. */
  readonly left: Int32Array
  readonly right: Int32Array
  readonly missingLeft: Uint8Array
  /** First word of the node's category set in `categoryWords`, or -1: the node compares with `threshold`. */
  readonly categorySet: Int32Array
  /** Category sets as bits, 8 words of 32 bits each: bit `code % 32` of word `code >> 5`. At most 255 categories. */
  readonly categoryWords: Int32Array
  /** Weight of the training rows that came to each node; at least 0, and a parent's is the sum of its children's. */
  readonly cover: Float64Array
  /** Row-major, `leaves * outputs`: class shares that sum to 1, or the predicted value. */
  readonly leaves: Float64Array
  readonly combine: ForestCombination
}

/**
 * What becomes of the leaves that a row falls into. Our own forests take their mean. Ensembles from elsewhere may add
 * them to `base` and transform the sum.
 */
export type ForestCombination =
  | { readonly rule: 'mean' }
  | {
      readonly rule: 'sum'
      /** One per output. */
      readonly base: readonly number[]
      readonly transform: 'none' | 'softmax' | 'logistic'
    }

/** Words of one category set. */
export const CATEGORY_WORDS = 8

/** Most categories that a feature may have. */
export const MAX_CATEGORIES = 255
