import type { EncodedBatch } from '../wire/produce-protocol.ts'
import { nextSequence, type ProducerIdentity } from '../wire/producer-identity.ts'

/** What a broker calls a producer. */
export type ProducerId = { readonly producerId: bigint; readonly producerEpoch: number }

/** An identity that counts its records, so that brokers notice what is missing or comes twice. */
export type CountingIdentity = ProducerIdentity & {
  /** These batches were stored. */
  readonly advance: (batches: Iterable<EncodedBatch>) => void
}

export const countingIdentity = (
  { producerId, producerEpoch }: ProducerId,
  transactional: boolean,
): CountingIdentity => {
  const sequences = new Map<string, number>()
  const sequenceOf = (topic: string, partition: number): number => sequences.get(`${partition} ${topic}`) ?? 0
  return {
    producerId,
    producerEpoch,
    transactional,
    baseSequenceOf: sequenceOf,
    advance: (batches) => {
      for (const { topic, partition, records } of batches) {
        sequences.set(`${partition} ${topic}`, nextSequence(sequenceOf(topic, partition), records))
      }
    },
  }
}
