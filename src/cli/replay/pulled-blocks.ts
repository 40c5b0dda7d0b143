/**
 * Turns a reader that pushes into one that is asked: the reader waits until a block was taken, so that at most one is
 * held. Whoever stops asking aborts the signal that the reader was given.
 * @param read pushes its blocks one after another; what it throws, the asker gets
 */
export async function* pulledBlocks<B>(
  read: (push: (block: B) => Promise<void>, signal: AbortSignal) => Promise<void>,
): AsyncGenerator<B, void, undefined> {
  const stop = new AbortController()
  let offered: { block: B; taken: () => void } | undefined
  let arrival = Promise.withResolvers<void>()
  let failure: { error: unknown } | undefined
  let ended = false

  const push = (block: B): Promise<void> => {
    if (stop.signal.aborted) return Promise.resolve()
    const taken = Promise.withResolvers<void>()
    offered = { block, taken: taken.resolve }
    arrival.resolve()
    return taken.promise
  }
  const reading = read(push, stop.signal)
    .catch((error: unknown) => {
      failure = { error }
    })
    .then(() => {
      ended = true
      arrival.resolve()
    })

  try {
    for (;;) {
      await arrival.promise
      if (offered === undefined) {
        if (failure !== undefined) throw failure.error
        return
      }
      const { block, taken } = offered
      offered = undefined
      if (!ended) arrival = Promise.withResolvers()
      taken()
      yield block
    }
  } finally {
    stop.abort()
    offered?.taken()
    await reading
  }
}
