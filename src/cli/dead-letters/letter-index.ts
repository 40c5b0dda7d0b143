import {
  type DeadLetter,
  type LeftOut,
  type ReplayMarker,
  reasonToLeaveOut,
} from '../../../streams/dead-letter-replay.ts'

/** What is kept of the letters of one partition, in the order of their offsets: a storm leaves millions of them. */
type Column = {
  readonly offsets: number[]
  readonly failedAt: number[]
  readonly codes: number[]
  /** The source topic and partition, as a number; -1 where the headers do not tell it. */
  readonly places: number[]
  readonly sourceOffsets: number[]
  readonly attempts: number[]
  /** Bits, see below. */
  readonly flags: number[]
  /** When it was sent back, ms since the epoch; 0 where it was not. */
  readonly replayedAt: number[]
}

const TRUNCATED = 1
const UNKNOWN_SOURCE = 2
const REPEATED = 4
const REPLAYED = 8
/** Sent back by the run that this index was made for. */
const OWN = 16
const WOULD_FAIL = 32
const DROPPED = 64

/** What becomes of a letter in a replay: a reason to leave it out, or null where it may be sent. */
export type LetterState = {
  readonly partition: number
  readonly offset: number
  readonly code: string
  readonly failedAt: number
  readonly reason: LeftOut | null
  /** Whether this run has sent it. */
  readonly own: boolean
  /** Milliseconds since the epoch, or null. */
  readonly replayedAt: number | null
}

type Place = { readonly partition: number; readonly offset: number }

export type ReplayRules = { readonly maxAttempts: number; readonly again: boolean }

/** Letters and what is known of their replay. Add in the order of offsets; `settle` before asking. */
export type LetterIndex = {
  readonly addLetter: (letter: DeadLetter, knownSource: boolean) => void
  readonly addMarker: (marker: ReplayMarker) => void
  /** Finds letters that tell of one record, and passes on among them that one was sent back. */
  readonly settle: () => void
  readonly size: () => number
  /** Every letter, partition by partition, in the order of offsets. */
  readonly states: (rules: ReplayRules) => Generator<LetterState>
  readonly stateOf: (partition: number, offset: number, rules: ReplayRules) => LetterState | null
  /** Takes a letter out: its bytes, or a repair, decided against it. */
  readonly refuse: (place: Place, reason: 'would_fail' | 'dropped_by_fix') => void
  /** Remembers that this run has sent a letter. */
  readonly markSent: (place: Place, at: number) => void
}

const emptyColumn = (): Column => ({
  ...{ offsets: [], failedAt: [], codes: [], places: [], sourceOffsets: [], attempts: [], flags: [], replayedAt: [] },
})

/** Where an offset stands in an ascending list, or -1. */
const findOffset = (offsets: readonly number[], offset: number): number => {
  let low = 0
  let high = offsets.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const found = offsets[middle]!
    if (found === offset) return middle
    if (found < offset) low = middle + 1
    else high = middle - 1
  }
  return -1
}

/** Texts as small numbers. */
const createNames = () => {
  const numbers = new Map<string, number>()
  const names: string[] = []
  return {
    numberOf: (name: string): number => {
      const known = numbers.get(name)
      if (known !== undefined) return known
      numbers.set(name, names.length)
      return names.push(name) - 1
    },
    nameOf: (number: number): string => names[number] ?? '',
  }
}

/** @param ownRun markers of this run are told apart from those of others */
export const createLetterIndex = (ownRun: string): LetterIndex => {
  const columns = new Map<number, Column>()
  const codes = createNames()
  const places = createNames()
  /** Sources whose marker names a letter that is not in the index: another letter of the same record may be. */
  const replayedElsewhere = new Map<string, { at: number; own: boolean }>()

  const orders = new Map<Column, Uint32Array>()
  /** Whether anything was added since the last settling. */
  let isSettled = true

  const columnOf = (partition: number): Column => {
    let column = columns.get(partition)
    if (column === undefined) {
      column = emptyColumn()
      columns.set(partition, column)
    }
    return column
  }

  const mark = (column: Column, row: number, at: number, own: boolean): void => {
    column.flags[row]! |= REPLAYED | (own ? OWN : 0)
    column.replayedAt[row] = Math.max(column.replayedAt[row]!, at)
  }

  const change = ({ partition, offset }: Place, apply: (column: Column, row: number) => void): void => {
    const column = columns.get(partition)
    const row = column === undefined ? -1 : findOffset(column.offsets, offset)
    if (column !== undefined && row >= 0) apply(column, row)
  }

  const stateAt = (partition: number, column: Column, row: number, rules: ReplayRules): LetterState => {
    const flags = column.flags[row]!
    const own = (flags & OWN) !== 0
    const facts = {
      truncated: (flags & TRUNCATED) !== 0,
      attempts: column.attempts[row]!,
      knownSource: (flags & UNKNOWN_SOURCE) === 0,
      replayed: (flags & REPLAYED) !== 0,
      repeated: (flags & REPEATED) !== 0,
    }
    const reason = reasonToLeaveOut(facts, { ...rules, again: rules.again && !own })
    return {
      partition,
      offset: column.offsets[row]!,
      code: codes.nameOf(column.codes[row]!),
      failedAt: column.failedAt[row]!,
      reason: reason ?? ((flags & WOULD_FAIL) !== 0 ? 'would_fail' : (flags & DROPPED) !== 0 ? 'dropped_by_fix' : null),
      own,
      replayedAt: column.replayedAt[row]! > 0 ? column.replayedAt[row]! : null,
    }
  }

  /** The rows in the order of what they tell of. Letters come all at once, marks later: it is sorted once. */
  const bySource = (column: Column): Uint32Array => {
    const { places: place, sourceOffsets, offsets } = column
    const known = orders.get(column)
    if (known?.length === offsets.length) return known
    const order = Uint32Array.from(offsets.keys()).sort(
      (a, b) => place[a]! - place[b]! || sourceOffsets[a]! - sourceOffsets[b]! || a - b,
    )
    orders.set(column, order)
    return order
  }

  const settleColumn = (column: Column): void => {
    const { places: place, sourceOffsets, offsets, flags } = column
    if (replayedElsewhere.size > 0) {
      for (let row = 0; row < offsets.length; row++) {
        const found = replayedElsewhere.get(`${places.nameOf(place[row]!)}-${sourceOffsets[row]}`)
        if (found !== undefined) mark(column, row, found.at, found.own)
      }
    }
    const order = bySource(column)
    for (let first = 0; first < order.length; ) {
      let end = first + 1
      const isSame = (row: number): boolean =>
        place[row] === place[order[first]!] && sourceOffsets[row] === sourceOffsets[order[first]!]
      while (end < order.length && place[order[first]!]! >= 0 && isSame(order[end]!)) end++
      if (end - first > 1) {
        const group = order.subarray(first, end)
        const at = group.reduce((latest, row) => Math.max(latest, column.replayedAt[row]!), 0)
        const any = group.reduce((all, row) => all | flags[row]!, 0)
        for (const row of group) {
          if ((any & REPLAYED) !== 0) mark(column, row, at, (any & OWN) !== 0)
          // The last one counts: an earlier one may even be of a transaction that was aborted.
          if (row === group.at(-1)) flags[row]! &= ~REPEATED
          else flags[row]! |= REPEATED
        }
      }
      first = end
    }
  }

  return {
    addLetter: (letter, knownSource) => {
      isSettled = false
      const column = columnOf(letter.partition)
      const { source } = letter
      column.offsets.push(Number(letter.offset))
      column.failedAt.push(letter.failedAt)
      column.codes.push(codes.numberOf(letter.code))
      column.places.push(source === null ? -1 : places.numberOf(`${source.topic}-${source.partition}`))
      column.sourceOffsets.push(source === null ? -1 : Number(source.offset))
      column.attempts.push(letter.attempts)
      column.flags.push((letter.truncated ? TRUNCATED : 0) | (knownSource ? 0 : UNKNOWN_SOURCE))
      column.replayedAt.push(0)
    },

    addMarker: ({ of, at, run, source }) => {
      isSettled = false
      const own = run === ownRun
      const column = columns.get(of.partition)
      const row = column === undefined ? -1 : findOffset(column.offsets, Number(of.offset))
      if (column !== undefined && row >= 0) mark(column, row, at, own)
      else if (source !== '') replayedElsewhere.set(source, { at, own })
    },

    settle: () => {
      if (isSettled) return
      isSettled = true
      for (const column of columns.values()) settleColumn(column)
    },

    size: () => [...columns.values()].reduce((sum, { offsets }) => sum + offsets.length, 0),

    *states(rules) {
      for (const [partition, column] of [...columns].sort(([a], [b]) => a - b)) {
        for (let row = 0; row < column.offsets.length; row++) yield stateAt(partition, column, row, rules)
      }
    },

    stateOf: (partition, offset, rules) => {
      const column = columns.get(partition)
      const row = column === undefined ? -1 : findOffset(column.offsets, offset)
      return column === undefined || row < 0 ? null : stateAt(partition, column, row, rules)
    },

    refuse: (place, reason) => {
      change(place, (column, row) => {
        column.flags[row]! |= reason === 'would_fail' ? WOULD_FAIL : DROPPED
      })
    },

    markSent: (place, at) => {
      change(place, (column, row) => mark(column, row, at, true))
    },
  }
}
