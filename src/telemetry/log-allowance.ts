/**
 * How many log lines of a kind may be written, so that a storm of events is told of and not written out. Pure: the
 * clock is given.
 */
export type LogAllowance = {
  /** Whether a line of this kind may be written now; if not, it is counted. */
  readonly take: (kind: string) => boolean
  /** What was not written, by kind, once the second that it belongs to is over; null while there is nothing to tell. */
  readonly settle: () => ReadonlyMap<string, number> | null
}

const WINDOW_MS = 1000

export type LogAllowanceOptions = {
  /** Lines of one kind in a second: one kind cannot hide another. */
  readonly perKind: number
  /** Lines of all kinds in a second. */
  readonly inAll: number
  /** Milliseconds; may jump. */
  readonly now: () => number
}

export const createLogAllowance = ({ perKind, inAll, now }: LogAllowanceOptions): LogAllowance => {
  let windowAt = Number.NEGATIVE_INFINITY
  let written = 0
  let writtenByKind = new Map<string, number>()
  let hidden = new Map<string, number>()

  const isOver = (at: number): boolean => at >= windowAt + WINDOW_MS || at < windowAt

  return {
    take: (kind) => {
      const at = now()
      if (isOver(at)) {
        windowAt = at
        written = 0
        writtenByKind = new Map()
      }
      const ofKind = writtenByKind.get(kind) ?? 0
      if (written >= inAll || ofKind >= perKind) {
        hidden.set(kind, (hidden.get(kind) ?? 0) + 1)
        return false
      }
      written += 1
      writtenByKind.set(kind, ofKind + 1)
      return true
    },

    settle: () => {
      if (hidden.size === 0 || !isOver(now())) return null
      const told = hidden
      hidden = new Map()
      return told
    },
  }
}
