import { ArtefactCorrupt } from '../model-errors.ts'
import type { Sections } from '../sections.ts'
import { CATEGORY_WORDS } from './flat-forest.ts'
import { COLUMN_BYTES, GROUP_ROWS } from './forest-nodes.ts'

/**
 * What the nodes of a stored forest compare with their thresholds. A column is a feature as one kind of split sees it,
 * so that every split is `cell <= threshold`:
 * - `right`: the value; a missing one stays NaN, which is at most nothing, and goes right.
 * - `left`: the value; a missing one becomes -infinity, which goes left.
 * - `sets`: 0 where the set holds the category's code, else 1, for a threshold of 0; one column per distinct set.
 *
 * Only what the forest asks for is there, in this order.
 */
export type ForestColumns = {
  /** The feature of each column. */
  readonly right: Int32Array
  readonly left: Int32Array
  readonly sets: Int32Array
  /** One per set column: 1 where a missing or unknown category goes left. */
  readonly setMissingLeft: Uint8Array
  /** `CATEGORY_WORDS` words per set column. */
  readonly setWords: Int32Array
}

const CATEGORY_BITS = CATEGORY_WORDS * 32

export const columnCount = ({ right, left, sets }: ForestColumns): number => right.length + left.length + sets.length

/** Whether a set column sends this value left. A value that is no code of a category is a missing one. */
export const setGoesLeft = ({ setMissingLeft, setWords }: ForestColumns, set: number, value: number): boolean => {
  const code = value | 0
  if (code !== value || code < 0 || code >= CATEGORY_BITS) return setMissingLeft[set] === 1
  return ((setWords[set * CATEGORY_WORDS + (code >> 5)]! >>> (code & 31)) & 1) === 1
}

const features = (sections: Sections, name: string, featureCount: number): Int32Array => {
  const asked = sections.int32(name)
  for (const feature of asked) {
    if (feature < 0 || feature >= featureCount) {
      throw new ArtefactCorrupt(`section '${name}' of the forest asks for feature ${feature} of ${featureCount}`)
    }
  }
  return asked
}

/** @throws ArtefactCorrupt */
export const readColumns = (sections: Sections, featureCount: number): ForestColumns => {
  const sets = features(sections, 'set_features', featureCount)
  return {
    right: features(sections, 'right_features', featureCount),
    left: features(sections, 'left_features', featureCount),
    sets,
    setMissingLeft: sections.uint8('set_missing_left', sets.length),
    setWords: sections.int32('set_words', sets.length * CATEGORY_WORDS),
  }
}

const CELLS = COLUMN_BYTES / Float64Array.BYTES_PER_ELEMENT

/** Writes the cells of `count` rows, the first of which begins at `from`, into groups of rows. Allocates nothing. */
export const fillCells = (
  columns: ForestColumns,
  featureCount: number,
  rows: Float64Array,
  from: number,
  count: number,
  cells: Float64Array,
): void => {
  const { right, left, sets } = columns
  const groupCells = columnCount(columns) * CELLS
  for (let row = 0; row < count; row++) {
    const values = from + row * featureCount
    const lane = row % GROUP_ROWS
    let cell = ((row - lane) / GROUP_ROWS) * groupCells + lane
    for (let c = 0; c < right.length; c++, cell += CELLS) cells[cell] = rows[values + right[c]!]!
    for (let c = 0; c < left.length; c++, cell += CELLS) {
      const value = rows[values + left[c]!]!
      cells[cell] = Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value
    }
    for (let c = 0; c < sets.length; c++, cell += CELLS) {
      cells[cell] = setGoesLeft(columns, c, rows[values + sets[c]!]!) ? 0 : 1
    }
  }
}
