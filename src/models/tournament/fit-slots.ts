/** Lets work begin only while there is room, in the order of asking. */
export type FitSlots = { readonly take: <T>(work: () => Promise<T>) => Promise<T> }

/** @param slots most work at the same time */
export const createFitSlots = (slots: number): FitSlots => {
  const waiting: (() => void)[] = []
  let free = Math.max(1, slots)
  return {
    take: async (work) => {
      if (free > 0) free--
      // Whoever ends hands its slot on, so that none who comes later slips in between.
      else await new Promise<void>((resolve) => waiting.push(resolve))
      try {
        return await work()
      } finally {
        const next = waiting.shift()
        if (next === undefined) free++
        else next()
      }
    },
  }
}
