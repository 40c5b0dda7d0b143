import { movePlaces, type RecordColumns } from './record-columns.ts'

/** Where the records of one batch lie: in one buffer, or in several that have to be copied into one. */
export type RecordRuns = {
  /** Bytes that the records take. */
  readonly bytes: number
  /** Records `first` to `end` lie in `buffer` from `from` to `to`. */
  readonly add: (buffer: Buffer, from: number, to: number, first: number, end: number) => void
  /** One buffer that holds all of them; their places are put right. It is used again after `clear`. */
  readonly join: (columns: RecordColumns) => Buffer
  readonly clear: () => void
}

type Run = { readonly buffer: Buffer; readonly from: number; to: number; readonly first: number; end: number }

const NO_BYTES = Buffer.alloc(0)

export const createRecordRuns = (): RecordRuns => {
  const runs: Run[] = []
  let arena = NO_BYTES
  let bytes = 0

  return {
    get bytes() {
      return bytes
    },
    add: (buffer, from, to, first, end) => {
      bytes += to - from
      const last = runs.at(-1)
      // Between two batches of one reply lies little more than a header: copying it is cheaper than two pieces.
      if (last !== undefined && last.buffer === buffer) {
        last.to = to
        last.end = end
      } else {
        runs.push({ buffer, from, to, first, end })
      }
    },
    join: (columns) => {
      if (runs.length === 1) return runs[0]!.buffer
      const needed = runs.reduce((sum, { from, to }) => sum + to - from, 0)
      const room = Math.ceil(needed * 1.25)
      if (arena.length < needed || arena.length > 4 * room + 65_536) arena = Buffer.allocUnsafeSlow(room)
      let at = 0
      for (const { buffer, from, to, first, end } of runs) {
        buffer.copy(arena, at, from, to)
        movePlaces(columns, first, end, at - from)
        at += to - from
      }
      return arena
    },
    clear: () => {
      runs.length = 0
      bytes = 0
    },
  }
}
