/** A wait that others may cut short. */
export type Wait = {
  /** Resolves after `ms`, or at the next `wake`. One at a time. */
  readonly for: (ms: number) => Promise<void>
  /** Ends the wait that goes on; where none does, the next one ends at once. */
  readonly wake: () => void
}

export const createWait = (): Wait => {
  let end: (() => void) | undefined
  let woken = false
  return {
    for: async (ms) => {
      if (!woken) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms)
          end = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      end = undefined
      woken = false
    },
    wake: () => {
      woken = true
      end?.()
    },
  }
}
