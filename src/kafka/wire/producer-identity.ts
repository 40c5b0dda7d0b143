/** Who writes: what the broker gave with InitProducerId. */
export type ProducerIdentity = {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly transactional: boolean
  /** The sequence number of the next record of a partition; starts at 0 with each identity. */
  readonly baseSequenceOf: (topic: string, partition: number) => number
}

/** The sequence number that follows `records` records: after 2^31 - 1 comes 0. */
export const nextSequence = (sequence: number, records: number): number => (sequence + records) % 2 ** 31
