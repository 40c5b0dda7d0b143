import kafkajs from 'kafkajs'
import { MAX_BATCH_BYTES } from '../compression/codecs.ts'
import { compressRecords } from '../compression/compress.ts'
import { decompressRecords } from '../compression/decompress.ts'

// Node finds no export of that name in kafkajs; only the whole module has it.
const { CompressionCodecs, CompressionTypes } = kafkajs

const { GZIP, Snappy, LZ4, ZSTD } = CompressionTypes

/** What kafkajs asks of a codec, by the number that both it and Kafka give to it. */
const codecOf = (number: number) => ({
  compress: async ({ buffer }: { buffer: Buffer }) => compressRecords(number, buffer),
  decompress: async (bytes: Buffer) => decompressRecords(number, bytes, MAX_BATCH_BYTES),
})

let done = false

/** Gives kafkajs, once for all clients of the process, the codecs that it lacks, and its own one a bound. */
export const registerCompression = (): void => {
  if (done) return
  done = true
  for (const number of [GZIP, Snappy, LZ4, ZSTD] as const) {
    const codec = codecOf(number)
    CompressionCodecs[number] = () => codec
  }
}
