import type { EncodedBatch } from '../wire/produce-protocol.ts'
import { EncoderClass, type ProtocolRequest, produceResponse } from './internals.ts'

const PRODUCE = 0
/** The newest version that kafkajs reads the reply of. */
const VERSION = 7
const ACKS_ALL = -1

/** Writes batches that are already encoded, which kafkajs' own request cannot. */
export const produceRequest = (
  transactionalId: string,
  timeoutMs: number,
  batches: readonly EncodedBatch[],
): ProtocolRequest<unknown> => ({
  request: {
    apiKey: PRODUCE,
    apiVersion: VERSION,
    apiName: 'Produce',
    encode: async () => {
      // A broker takes a topic that stands there twice only once.
      const topics = Map.groupBy(batches, ({ topic }) => topic)
      const encoder = new EncoderClass()
        .writeString(transactionalId)
        .writeInt16(ACKS_ALL)
        .writeInt32(timeoutMs)
        .writeInt32(topics.size)
      for (const [topic, own] of topics) {
        encoder.writeString(topic).writeInt32(own.length)
        for (const { partition, bytes } of own) encoder.writeInt32(partition).writeBytes(bytes)
      }
      return encoder
    },
  },
  response: produceResponse(),
  logResponseError: false,
})
