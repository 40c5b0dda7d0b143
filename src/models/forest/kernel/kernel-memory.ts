const PAGE_BYTES = 65_536
/** All that 32 bits can address. */
const MAX_PAGES = 65_536

/** Two models are in memory while one takes over from the other; their memories serve the next two. */
const MAX_SPARE = 2

/** A spare memory that is larger than this many times what is asked for is left for a larger model. */
const MAX_EXCESS = 2

/** Memory for kernels, used again when its user is gone. */
export type KernelMemories = {
  /**
   * Memory of at least so many bytes, with anything in it.
   * @returns null where there is none to be had
   */
  readonly take: (bytes: number) => WebAssembly.Memory | null
  /** Gives a memory back, once nobody will use it any more. */
  readonly giveBack: (memory: WebAssembly.Memory) => void
  /** Gives a memory back when its user is garbage. Only the user may hold on to it, and to what reads it. */
  readonly giveBackAfter: (user: object, memory: WebAssembly.Memory) => void
}

/**
 * Each memory reserves some gigabytes of addresses, however small it is; a machine may limit those.
 * @returns null where there is no memory of that size to be had
 */
const allocate = (pages: number): WebAssembly.Memory | null => {
  if (pages > MAX_PAGES) return null
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages })
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

/**
 * Fresh memory is the dearest part of a load after the digest: the machine clears and maps it page by page, which takes
 * more than a millisecond for a model of 5 MB. A worker that swaps models again and again needs none after the third.
 */
export const createKernelMemories = (): KernelMemories => {
  const spare: WebAssembly.Memory[] = []
  const giveBack = (memory: WebAssembly.Memory): void => {
    spare.push(memory)
    if (spare.length > MAX_SPARE) spare.shift()
  }
  // The engine calls back between two tasks, so never while a score is being computed.
  const users = new FinalizationRegistry(giveBack)
  return {
    take: (bytes) => {
      const pages = Math.ceil(bytes / PAGE_BYTES)
      const fits = spare.findIndex(({ buffer }) => {
        const sparePages = buffer.byteLength / PAGE_BYTES
        return sparePages >= pages && sparePages <= MAX_EXCESS * pages
      })
      return fits < 0 ? allocate(pages) : spare.splice(fits, 1)[0]!
    },
    giveBack,
    giveBackAfter: (user, memory) => users.register(user, memory),
  }
}

/** Those of this thread. */
export const kernelMemories = createKernelMemories()
