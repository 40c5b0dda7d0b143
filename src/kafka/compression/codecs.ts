/** How the records of a batch can be compressed, by the number that stands for it in the batch's attributes. */
export const codecs = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const

export type CompressionName = keyof typeof codecs

/**
 * How large the records of one batch may be once decompressed. A broker takes compressed batches of up to 1 MiB unless
 * told otherwise, and JSON shrinks to a tenth or so; what claims to grow 64-fold is damaged or meant to do harm.
 */
export const MAX_BATCH_BYTES = 64 * 1024 * 1024
