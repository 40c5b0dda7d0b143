import {
  createErrorFromCode,
  DecoderClass,
  EncoderClass,
  type InternalBroker,
  type ProtocolRequest,
} from './internals.ts'

const INIT_PRODUCER_ID = 22
/** The first version that takes the identity that one has (KIP-360, Kafka 2.5). kafkajs stops at 1. */
const VERSION = 3

/** Who writes: given by the coordinator of a transactional id. */
export type ProducerId = { readonly producerId: string; readonly producerEpoch: number }

/** Somebody who has no identity yet. */
export const NOBODY: ProducerId = { producerId: '-1', producerEpoch: -1 }

const request = (
  transactionalId: string,
  transactionTimeoutMs: number,
  holder: ProducerId,
): ProtocolRequest<ProducerId & { errorCode: number }> => ({
  request: {
    apiKey: INIT_PRODUCER_ID,
    apiVersion: VERSION,
    apiName: 'InitProducerId',
    encode: async () =>
      new EncoderClass()
        .writeUVarIntBytes() // no tagged fields in the header
        .writeUVarIntString(transactionalId)
        .writeInt32(transactionTimeoutMs)
        .writeInt64(holder.producerId)
        .writeInt16(holder.producerEpoch)
        .writeUVarIntBytes(),
  },
  response: {
    decode: async (payload) => {
      const decoder = new DecoderClass(payload)
      decoder.readTaggedFields()
      decoder.readInt32() // throttle time
      const errorCode = decoder.readInt16()
      return { errorCode, producerId: decoder.readInt64().toString(), producerEpoch: decoder.readInt16() }
    },
    parse: async (reply) => {
      if (reply.errorCode !== 0) throw createErrorFromCode(reply.errorCode)
      return reply
    },
  },
  logResponseError: false,
})

/**
 * Takes a transactional id: from whoever holds it, or, as its holder, for a new epoch, which is refused to a holder
 * that somebody else has fenced. Ends what is open either way.
 * @throws an error of kafkajs with Kafka's name of what the coordinator says
 */
export const initProducerId = async (
  coordinator: InternalBroker,
  transactionalId: string,
  transactionTimeoutMs: number,
  holder: ProducerId,
): Promise<ProducerId> => {
  const { producerId, producerEpoch } = await coordinator.connectionPool.send(
    request(transactionalId, transactionTimeoutMs, holder),
  )
  return { producerId, producerEpoch }
}
