const SEED = 0x9747b28c
const M = 0x5bd1e995

/**
 * The 32-bit hash of a key by which Kafka's own producers choose partitions: MurmurHash2 with their seed, as in
 * `Utils.murmur2` of Kafka's Java client. Signed, as there.
 */
export const murmur2 = (key: Uint8Array): number => {
  const { length } = key
  const whole = length & ~3
  let h = SEED ^ length
  for (let i = 0; i < whole; i += 4) {
    let k = key[i]! | (key[i + 1]! << 8) | (key[i + 2]! << 16) | (key[i + 3]! << 24)
    k = Math.imul(k, M)
    k = Math.imul(k ^ (k >>> 24), M)
    h = Math.imul(h, M) ^ k
  }
  if (whole < length) {
    for (let i = length - 1; i >= whole; i--) h ^= key[i]! << ((i - whole) * 8)
    h = Math.imul(h, M)
  }
  h = Math.imul(h ^ (h >>> 13), M)
  return h ^ (h >>> 15)
}

/** The partition that Kafka's own producers choose for a key. */
export const partitionOfKey = (key: Uint8Array, partitions: number): number => (murmur2(key) & 0x7fffffff) % partitions
