/** How often something was seen for each offset of each partition: one byte for each, at most 255. */
export type OffsetLedger = {
  readonly add: (partition: number, offset: number) => void
  readonly count: (partition: number, offset: number) => number
  /** All that were seen, in order within a partition. */
  readonly entries: () => Generator<{ partition: number; offset: number; count: number }>
}

const FIRST_SIZE = 1 << 14

export const createOffsetLedger = (): OffsetLedger => {
  const counts = new Map<number, Uint8Array>()
  return {
    add: (partition, offset) => {
      let bytes = counts.get(partition) ?? new Uint8Array(FIRST_SIZE)
      if (offset >= bytes.length) {
        const larger = new Uint8Array(Math.max(offset + 1, bytes.length * 2))
        larger.set(bytes)
        bytes = larger
      }
      counts.set(partition, bytes)
      bytes[offset] = Math.min(255, bytes[offset]! + 1)
    },
    count: (partition, offset) => counts.get(partition)?.[offset] ?? 0,
    entries: function* () {
      for (const [partition, bytes] of counts) {
        for (let offset = 0; offset < bytes.length; offset++) {
          const count = bytes[offset]!
          if (count > 0) yield { partition, offset, count }
        }
      }
    },
  }
}
