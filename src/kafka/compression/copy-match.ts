/** Below it, a loop is faster than a call of the runtime: about 1 ns a byte against 40 ns. */
const LOOP_BYTES = 32

/** Copies bytes from one buffer to another. The caller has made sure that both are long enough. */
export const copyLiteral = (source: Buffer, from: number, length: number, target: Buffer, at: number): void => {
  if (length > LOOP_BYTES) source.copy(target, at, from, from + length)
  else for (let i = 0; i < length; i++) target[at + i] = source[from + i]!
}

/**
 * Repeats what stands `offset` bytes before `at`. It may reach into what is being written: then the bytes between
 * repeat themselves.
 */
export const copyMatch = (target: Buffer, at: number, offset: number, length: number): void => {
  const from = at - offset
  if (length <= LOOP_BYTES || offset < 8) {
    for (let i = 0; i < length; i++) target[at + i] = target[from + i]!
    return
  }
  // What has been written is part of the pattern: each step can copy twice as much as the one before.
  let done = 0
  while (done < length) {
    const step = Math.min(length - done, offset + done)
    target.copyWithin(at + done, from, from + step)
    done += step
  }
}
