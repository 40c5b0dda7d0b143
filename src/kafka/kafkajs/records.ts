import type { IHeaders, Message } from 'kafkajs'
import type { OutgoingRecord } from '../kafka-types.ts'

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const toHeaders = (headers: NonNullable<OutgoingRecord['headers']>): IHeaders => {
  const result: IHeaders = {}
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined) result[name] = typeof value === 'string' ? value : asBuffer(value)
  }
  return result
}

const toMessage = (record: OutgoingRecord): Message => {
  const message: Message = {
    partition: record.partition,
    key: record.key === null ? null : asBuffer(record.key),
    value: record.value === null ? null : asBuffer(record.value),
  }
  if (record.headers !== undefined) message.headers = toHeaders(record.headers)
  return message
}

/** The records by topic, as kafkajs takes a request. */
export const toTopicMessages = (records: readonly OutgoingRecord[]): { topic: string; messages: Message[] }[] => {
  const byTopic = Map.groupBy(records, ({ topic }) => topic)
  return Array.from(byTopic, ([topic, own]) => ({ topic, messages: own.map(toMessage) }))
}

/**
 * What one produce request may hold. Brokers take 1 MiB per partition by default, and kafkajs does not split a request
 * that is larger; it also copies the list of messages for each message in it, so that long lists cost their square.
 */
export const REQUEST_LIMITS = { maxItems: 1000, maxBytes: 900_000 } as const
