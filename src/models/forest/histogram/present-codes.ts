import { MAX_BINS } from './binned-rows.ts'

/** Words of a set of codes as bits. */
export const CODE_WORDS = MAX_BINS / 32

/**
 * Lists the codes of a set in ascending order and empties the set.
 * @param present a bit for each code
 * @param order written from its first element on
 * @returns how many there are
 */
export const takePresent = (present: Int32Array, order: Int32Array): number => {
  let count = 0
  for (let word = 0; word < CODE_WORDS; word++) {
    let bits = present[word]!
    if (bits === 0) continue
    present[word] = 0
    const first = word << 5
    while (bits !== 0) {
      order[count++] = first + 31 - Math.clz32(bits & -bits)
      bits &= bits - 1
    }
  }
  return count
}
