/** Measures how long a worker takes from the news of a model to the first prediction by it. */
export type SwapTimer = {
  /** Another model serves. @param agoMs how long ago the news of it came */
  readonly swapped: (model: { readonly version: string; readonly agoMs: number }) => void
  /** Predictions by a version were committed. @param eventAgeMs how long ago the oldest of their events was written */
  readonly committed: (batch: { readonly version: string; readonly eventAgeMs: number }) => void
}

/**
 * @param observe told the seconds of each swap once, with the first predictions after it
 * @param now ms, for instance `performance.now`
 */
export const createSwapTimer = (observe: (seconds: number) => void, now: () => number): SwapTimer => {
  let open: { version: string; newsAt: number } | undefined
  return {
    swapped: ({ version, agoMs }) => {
      open = { version, newsAt: now() - agoMs }
    },
    committed: ({ version, eventAgeMs }) => {
      if (open?.version !== version) return
      // While no event came, nobody waited for the model.
      observe(Math.min(now() - open.newsAt, Math.max(0, eventAgeMs)) / 1000)
      open = undefined
    },
  }
}
