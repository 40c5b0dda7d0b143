/** Rows of leaves, each different from the others, and which of them each of the given rows is. */
export type SharedLeaves = { readonly leaves: Float64Array; readonly rowOf: Int32Array }

const WORDS = Float64Array.BYTES_PER_ELEMENT / Int32Array.BYTES_PER_ELEMENT

/** FNV-1a over words in place of bytes, with the high bits mixed in: the table below uses the low ones. */
const hashRow = (words: Int32Array, from: number, length: number): number => {
  let hash = 0x811c9dc5
  for (let i = from; i < from + length; i++) hash = Math.imul(hash ^ words[i]!, 0x01000193)
  return hash ^ (hash >>> 15)
}

/**
 * Stores equal rows of leaves once, in the order in which they come first. Most leaves of a classifier hold one class
 * alone, so a forest of 26,000 leaves has a few thousand different ones: less to load, and less to keep in the cache.
 * Rows are equal when their bits are.
 * @param leaves `rows * outputs`
 */
export const shareLeaves = (leaves: Float64Array, outputs: number): SharedLeaves => {
  const rows = leaves.length / outputs
  const length = outputs * WORDS
  const words = new Int32Array(leaves.slice().buffer)
  const rowOf = new Int32Array(rows)
  const kept = new Float64Array(leaves.length)
  const keptWords = new Int32Array(kept.buffer)
  // Open addressing: a slot holds a kept row plus 1, and at least half of them stay empty.
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * rows + 1)))
  const isKept = (row: number, from: number): boolean => {
    for (let i = 0; i < length; i++) {
      if (keptWords[row * length + i] !== words[from + i]) return false
    }
    return true
  }
  let count = 0
  for (let row = 0; row < rows; row++) {
    const from = row * length
    let slot = hashRow(words, from, length) & (slots.length - 1)
    while (slots[slot] !== 0 && !isKept(slots[slot]! - 1, from)) slot = (slot + 1) & (slots.length - 1)
    if (slots[slot] === 0) {
      keptWords.set(words.subarray(from, from + length), count * length)
      count++
      slots[slot] = count
    }
    rowOf[row] = slots[slot]! - 1
  }
  return { leaves: kept.slice(0, count * outputs), rowOf }
}
