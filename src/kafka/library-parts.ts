import { createRequire } from 'node:module'
import { KafkaUnsuitable } from './kafka-errors.ts'

/*
 * What @platformatic/kafka computes its checksums and compresses with, taken from its own dependencies. Through the
 * library itself every process would load all of it, also one that talks to Kafka by kafkajs: some 400 ms of a core
 * and 40 MB.
 */

type Checksum = (bytes: Buffer) => number
type Compress = (bytes: Buffer) => Buffer
type Parts = Readonly<Record<string, unknown>>

const ownRequire = createRequire(import.meta.url)
const libraryRequire = createRequire(ownRequire.resolve('@platformatic/kafka'))

const wasmParts = (): Parts => libraryRequire('@platformatic/wasm-utils') as Parts

/** Compiled for the machine: an optional dependency, which may be missing. */
const nativeParts = (): Parts | null => {
  try {
    return libraryRequire('@node-rs/crc32') as Parts
  } catch {
    return null
  }
}

const partNamed = <T>(name: string, parts: Parts): T => {
  const part = parts[name]
  if (typeof part === 'function') return part as T
  throw new KafkaUnsuitable(`@platformatic/kafka no longer stands on ${name}; install exactly version 2.12.1`)
}

/** CRC-32C of the bytes, about three times as fast where it is compiled for the machine. */
export const crc32c: Checksum = partNamed('crc32c', nativeParts() ?? wasmParts())

let compressions: { readonly snappy: Compress; readonly lz4: Compress } | undefined

/** Loaded when the first batch is compressed. */
export const wasmCompressions = (): NonNullable<typeof compressions> => {
  if (compressions === undefined) {
    const parts = wasmParts()
    compressions = { snappy: partNamed('snappyCompress', parts), lz4: partNamed('lz4Compress', parts) }
  }
  return compressions
}
