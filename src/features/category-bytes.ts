/**
 * The code of the category whose UTF-8 name stands in `bytes` from `start` to `end`: its place in the list, or the
 * length of the list for a name that is not in it.
 */
export type CategoryBytes = (bytes: Uint8Array, start: number, end: number) => number

/** Fowler, Noll and Vo's FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
const hashOf = (bytes: Uint8Array, start: number, end: number): number => {
  let hash = 0x811c9dc5
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  // Its low bits depend on the low bits of the bytes alone.
  return hash ^ (hash >>> 16)
}

/** `categoryCode` on bytes: finds the code of a name without making a string of it. */
export const createCategoryBytes = (categories: readonly string[]): CategoryBytes => {
  const unknown = categories.length
  const encoded = categories.map((name) => Buffer.from(name))
  const names = Buffer.concat(encoded)
  const starts = new Int32Array(unknown + 1)
  encoded.forEach(({ length }, code) => {
    starts[code + 1] = starts[code]! + length
  })

  // Open addressing, at most half full: code + 1 of each name, 0 where there is none.
  const mask = 2 ** Math.ceil(Math.log2(Math.max(4, 2 * unknown))) - 1
  const slots = new Int32Array(mask + 1)

  const find: CategoryBytes = (bytes, start, end) => {
    for (let slot = hashOf(bytes, start, end) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const code = slots[slot]! - 1
      const from = starts[code]!
      if (starts[code + 1]! - from !== end - start) continue
      let i = 0
      while (i < end - start && names[from + i] === bytes[start + i]) i++
      if (i === end - start) return code
    }
    return unknown
  }

  categories.forEach((name, code) => {
    const from = starts[code]!
    const to = starts[code + 1]!
    // Half of a surrogate pair has no UTF-8 of its own: such a name is never the name in an event.
    if (!name.isWellFormed() || find(names, from, to) !== unknown) return
    let slot = hashOf(names, from, to) & mask
    while (slots[slot] !== 0) slot = (slot + 1) & mask
    slots[slot] = code + 1
  })
  return find
}
