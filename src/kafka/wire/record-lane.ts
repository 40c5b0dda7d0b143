import type { RecordLane } from '../kafka-types.ts'
import type { PartitionWriter } from './partition-writer.ts'
import { varintBytes, writeVarint } from './varint.ts'

/** Lengths, offset, attributes and timestamp of a record take no more than this. */
const RECORD_OVERHEAD_BYTES = 32

/** Below it, a loop is faster than a call of the runtime's copy: 1 ns a byte against 40 ns. */
const LOOP_BYTES = 40

const copyBytes = (source: Buffer, from: number, end: number, target: Buffer, at: number): number => {
  const length = end - from
  if (length > LOOP_BYTES) source.copy(target, at, from, end)
  else for (let i = 0; i < length; i++) target[at + i] = source[from + i]!
  return at + length
}

/** What stands before the value of the one header: their number, the name's length, the name. */
const headerPrefixOf = (name: string): Buffer => {
  const bytes = Buffer.from(name)
  const start = Buffer.alloc(6)
  const end = writeVarint(start, bytes.length, writeVarint(start, 1, 0))
  return Buffer.concat([start.subarray(0, end), bytes])
}

export const createRecordLane = (writer: PartitionWriter, headerName: string): RecordLane => {
  const prefix = headerPrefixOf(headerName)
  const prefixBytes = prefix.length

  return {
    append: (keyBytes, keyStart, keyEnd, scratch, valueStart, valueEnd, headerEnd) => {
      const keyLength = keyStart < 0 ? -1 : keyEnd - keyStart
      const keySize = keyStart < 0 ? 0 : keyLength
      const valueLength = valueEnd - valueStart
      const headerLength = headerEnd - valueEnd
      const body = keySize + valueLength + prefixBytes + headerLength
      writer.makeRoom(body + RECORD_OVERHEAD_BYTES)
      const { buffer, count } = writer
      const length =
        2 + varintBytes(count) + varintBytes(keyLength) + varintBytes(valueLength) + varintBytes(headerLength) + body
      let at = writeVarint(buffer, length, writer.at)
      // No attributes, and the timestamp of the batch.
      buffer[at++] = 0
      buffer[at++] = 0
      at = writeVarint(buffer, count, at)
      at = writeVarint(buffer, keyLength, at)
      if (keySize > 0) at = copyBytes(keyBytes, keyStart, keyEnd, buffer, at)
      at = writeVarint(buffer, valueLength, at)
      at = copyBytes(scratch, valueStart, valueEnd, buffer, at)
      at = copyBytes(prefix, 0, prefixBytes, buffer, at)
      at = writeVarint(buffer, headerLength, at)
      writer.at = copyBytes(scratch, valueEnd, headerEnd, buffer, at)
      writer.count = count + 1
    },
  }
}
