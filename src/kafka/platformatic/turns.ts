/** Work that is done one piece after another, in the order in which it was asked for. */
export type Turns = { readonly take: <T>(work: () => Promise<T>) => Promise<T> }

export const createTurns = (): Turns => {
  let last: Promise<unknown> = Promise.resolve()
  return {
    take: (work) => {
      const turn = last.then(work)
      // Whoever asked hears of a failure; the next is not concerned.
      last = turn.catch(() => undefined)
      return turn
    },
  }
}
