/**
 * Gives the memory of a buffer back at once; the buffer is empty then. The collector would do so as well, but it begins
 * to look after memory outside of its heap when there are some 60 MB of it, and memory that is used again at once is
 * much cheaper than fresh memory. Leaves a buffer alone that is a part of another one.
 */
export const freeBytes = (bytes: Buffer): void => {
  const { buffer } = bytes
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length) buffer.transfer(0)
}
