import type { EncodedBatch } from './produce-protocol.ts'
import { nextSequence, type ProducerIdentity } from './producer-identity.ts'

/** What a broker calls a producer. */
export type ProducerId = { readonly producerId: bigint; readonly producerEpoch: number }

/** An identity that counts its records, so that brokers notice what is missing or comes twice. */
export type CountingIdentity = ProducerIdentity & {
  /** These batches were stored. */
  readonly advance: (batches: Iterable<EncodedBatch>) => void
}

/** @param firstOf the first sequence number of a partition: 0, unless it counts on from another identity */
export const countingIdentity = (
  { producerId, producerEpoch }: ProducerId,
  transactional: boolean,
  firstOf: ProducerIdentity['baseSequenceOf'] = () => 0,
): CountingIdentity => {
  const sequences = new Map<string, number>()
  const sequenceOf = (topic: string, partition: number): number =>
    sequences.get(`${partition} ${topic}`) ?? firstOf(topic, partition)
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
