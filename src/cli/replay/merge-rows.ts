import type { OffsetRow } from './last-wins.ts'

/** Rows in blocks; offsets ascend, within a block and from one to the next. */
export type RowBlocks<R extends OffsetRow> = AsyncIterable<readonly R[]>

/** Steps through blocks row by row, and waits only where a block ends. */
const cursorOf = <R extends OffsetRow>(blocks: RowBlocks<R>) => {
  const iterator = blocks[Symbol.asyncIterator]()
  let block: readonly R[] = []
  let place = 0
  return {
    row: (): R | undefined => block[place],
    /** Moves on within the block; false at its end. */
    step: (): boolean => {
      place += 1
      return place < block.length
    },
    /** Takes the next block that has rows; false at the end. */
    fill: async (): Promise<boolean> => {
      for (;;) {
        const next = await iterator.next()
        if (next.done === true) {
          block = []
          return false
        }
        block = next.value
        place = 0
        if (block.length > 0) return true
      }
    },
    close: async (): Promise<void> => {
      await iterator.return?.(undefined)
    },
  }
}

/** Joins two sides by their offsets. Holds one block of each. */
export const mergeRows = async <L extends OffsetRow, R extends OffsetRow>(
  left: RowBlocks<L>,
  right: RowBlocks<R>,
  found: {
    readonly both: (left: L, right: R) => void
    readonly onlyLeft: (row: L) => void
    readonly onlyRight: (row: R) => void
  },
): Promise<void> => {
  const a = cursorOf(left)
  const b = cursorOf(right)
  try {
    await Promise.all([a.fill(), b.fill()])
    for (;;) {
      const l = a.row()
      const r = b.row()
      if (l === undefined && r === undefined) return
      const order = l === undefined ? 1 : r === undefined ? -1 : l.offset - r.offset
      if (order === 0) found.both(l!, r!)
      else if (order < 0) found.onlyLeft(l!)
      else found.onlyRight(r!)
      if (order <= 0 && !a.step()) await a.fill()
      if (order >= 0 && !b.step()) await b.fill()
    }
  } finally {
    await Promise.all([a.close(), b.close()])
  }
}
