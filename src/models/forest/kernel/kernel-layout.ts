const CACHE_LINE_BYTES = 64

/** Lays parts of memory out one after another, each at the beginning of a cache line. */
export const createLayout = () => {
  let end = 0
  return {
    take: (bytes: number): number => {
      const at = end
      end = Math.ceil((at + bytes) / CACHE_LINE_BYTES) * CACHE_LINE_BYTES
      return at
    },
    bytes: (): number => end,
  }
}
