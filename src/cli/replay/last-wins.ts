/** Rows by the offset of their source record. */
export type OffsetRow = { readonly offset: number }

/** Puts rows of one partition in the order of their source offsets, each offset once; see `createLastWins`. */
export type LastWins<R extends OffsetRow> = {
  readonly add: (row: R) => void
  /** The rows that no later one is expected to replace, in order; each is given out once. */
  readonly settled: () => R[]
  /** All that are left, in order. */
  readonly rest: () => R[]
  /** Rows that came again after they were given out; they were left out. */
  readonly late: () => number
}

/**
 * Of rows with the same source offset the last one counts: both Kafka clients may show records of an aborted
 * transaction, and the committed ones follow. Memory is bounded by `distance`, not by the length of the topic.
 * @param distance how far back, in offsets, a row may still replace one: more than one transaction spans
 */
export const createLastWins = <R extends OffsetRow>(distance: number): LastWins<R> => {
  /** Ascending by offset; those before `start` were given out. */
  let held: R[] = []
  let start = 0
  /** The greatest offset that was given out. */
  let horizon = -1
  let late = 0

  /** The place of the first held row whose offset is not below this one. */
  const placeOf = (offset: number): number => {
    let from = start
    let to = held.length
    while (from < to) {
      const middle = (from + to) >> 1
      if (held[middle]!.offset < offset) from = middle + 1
      else to = middle
    }
    return from
  }

  /** Gives out the rows before a place. */
  const giveUpTo = (place: number): R[] => {
    const given = held.slice(start, place)
    horizon = given.at(-1)?.offset ?? horizon
    start = place
    // Now and then only: to move all that are held with every block would cost more than the rest.
    if (start > held.length / 2) {
      held = held.slice(start)
      start = 0
    }
    return given
  }

  return {
    add: (row) => {
      const { offset } = row
      if (offset <= horizon) late += 1
      else if (start === held.length || offset > held.at(-1)!.offset) held.push(row)
      else {
        const place = placeOf(offset)
        held.splice(place, held[place]?.offset === offset ? 1 : 0, row)
      }
    },
    settled: () => {
      const newest = held.at(-1)
      return newest === undefined ? [] : giveUpTo(placeOf(newest.offset - distance))
    },
    rest: () => giveUpTo(held.length),
    late: () => late,
  }
}
