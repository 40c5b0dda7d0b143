import type { Reader, Writer } from '@platformatic/kafka'
import { AppError } from '../../errors.ts'
import { KafkaUnavailable } from '../kafka-errors.ts'

/** One request and how its reply is read, in the order that `Connection.send` takes them. */
export type WireCall<Reply> = {
  readonly apiKey: number
  readonly apiVersion: number
  readonly payload: () => Writer
  readonly parse: (correlationId: number, apiKey: number, apiVersion: number, reader: Reader) => Reply
  /** Whether the header of the request, and that of the reply, ends with tagged fields. */
  readonly flexible: boolean
  /** What `parse` gives holds no bytes of the reply; without it they are kept as long as it is. */
  readonly copiesReply?: boolean
}

/** The versions of a request that are spoken here, both included. */
export type VersionRange = { readonly min: number; readonly max: number }

/**
 * The newest version that both sides speak, or null.
 * @param ours what is spoken here
 * @param brokers what the broker said of the same request
 */
export const commonVersion = (ours: VersionRange, brokers: VersionRange): number | null => {
  const version = Math.min(ours.max, brokers.max)
  return version >= Math.max(ours.min, brokers.min) ? version : null
}

/**
 * Reads a reply, and says which one if it cannot be read.
 * @throws KafkaUnavailable if it ends early or counts more than it holds
 */
export const readReply = <Reply>(name: string, version: number, read: () => Reply): Reply => {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw new KafkaUnavailable(`the broker's reply to ${name} version ${version} cannot be read`, { cause })
  }
}

/**
 * The length of a list, which must have room in what is left of the reply.
 * @param entryBytes the least that one entry takes
 */
export const readCount = (reader: Reader, flexible: boolean, entryBytes: number): number => {
  // Both forms have a number for "no list", which comes out below zero.
  const count = flexible ? reader.readUnsignedVarInt() - 1 : reader.readInt32()
  if (count < -1 || count * entryBytes > reader.remaining)
    throw new RangeError(`there is no room for ${count} entries in the reply`)
  return Math.max(count, 0)
}

/** A list of the reply. */
export const readList = <T>(reader: Reader, flexible: boolean, entryBytes: number, entry: () => T): T[] => {
  const count = readCount(reader, flexible, entryBytes)
  const list: T[] = []
  for (let i = 0; i < count; i++) list.push(entry())
  return list
}

/** The tagged fields at the end of a structure: those with a handler are read by it, the others passed over. */
export const readTags = (reader: Reader, handlers: Readonly<Record<number, () => void>> = {}): void => {
  const count = readCountOfTags(reader)
  for (let i = 0; i < count; i++) {
    const tag = reader.readUnsignedVarInt()
    const size = reader.readUnsignedVarInt()
    if (size < 0 || size > reader.remaining) throw new RangeError(`tagged field ${tag} is longer than the reply`)
    const end = reader.position + size
    handlers[tag]?.()
    // A newer broker may have put more into it.
    reader.position = end
  }
}

const readCountOfTags = (reader: Reader): number => {
  const count = reader.readUnsignedVarInt()
  if (count < 0 || count * 2 > reader.remaining) throw new RangeError('there are more tagged fields than bytes')
  return count
}
