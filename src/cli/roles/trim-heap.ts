import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

type Collect = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void

/**
 * Gives back the memory that starting took. Loading code fills V8's space for young objects and makes it grow to its
 * largest, 48 MiB, where it stays: it shrinks only by such a collection. A worker in a steady state needs a few MiB of it.
 * Holds up the process for as long as a full collection takes, some 30 ms.
 */
export const trimHeap = (): void => {
  // The function is given to contexts that are made while the flag stands; to this process it is no longer visible after.
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as Collect
  setFlagsFromString('--no-expose-gc')
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
