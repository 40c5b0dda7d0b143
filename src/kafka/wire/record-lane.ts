import type { RecordLane } from '../kafka-types.ts'
import type { PartitionWriter } from './partition-writer.ts'
import { varintBytes, writeVarint } from './varint.ts'
import { copyBytes, look, viewedBytes } from './viewed-bytes.ts'

/** Lengths, offset, attributes and timestamp of a record take no more than this. */
const RECORD_OVERHEAD_BYTES = 32

/** What stands before the value of the one header: their number, the name's length, the name. */
const headerPrefixOf = (name: string): Buffer => {
  const bytes = Buffer.from(name)
  const start = Buffer.alloc(6)
  const end = writeVarint(start, bytes.length, writeVarint(start, 1, 0))
  return Buffer.concat([start.subarray(0, end), bytes])
}

export const createRecordLane = (writer: PartitionWriter, headerName: string): RecordLane => {
  const prefix = viewedBytes(headerPrefixOf(headerName))
  const prefixBytes = prefix.buffer.length
  const target = viewedBytes(writer.buffer)
  const keys = viewedBytes(prefix.buffer)
  const values = viewedBytes(prefix.buffer)

  return {
    append: (keyBytes, keyStart, keyEnd, scratch, valueStart, valueEnd, headerEnd) => {
      const keyLength = keyStart < 0 ? -1 : keyEnd - keyStart
      const valueLength = valueEnd - valueStart
      const headerLength = headerEnd - valueEnd
      const body = Math.max(keyLength, 0) + valueLength + prefixBytes + headerLength
      writer.makeRoom(body + RECORD_OVERHEAD_BYTES)
      const { buffer, count } = writer
      look(target, buffer)
      look(keys, keyBytes)
      look(values, scratch)
      const length =
        2 + varintBytes(count) + varintBytes(keyLength) + varintBytes(valueLength) + varintBytes(headerLength) + body
      let at = writeVarint(buffer, length, writer.at)
      // No attributes, and the timestamp of the batch.
      buffer[at++] = 0
      buffer[at++] = 0
      at = writeVarint(buffer, count, at)
      at = writeVarint(buffer, keyLength, at)
      if (keyLength > 0) at = copyBytes(keys, keyStart, keyEnd, target, at)
      at = writeVarint(buffer, valueLength, at)
      at = copyBytes(values, valueStart, valueEnd, target, at)
      at = copyBytes(prefix, 0, prefixBytes, target, at)
      at = writeVarint(buffer, headerLength, at)
      writer.at = copyBytes(values, valueEnd, headerEnd, target, at)
      writer.count = count + 1
    },
  }
}
