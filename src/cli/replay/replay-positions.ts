import type { KafkaAdmin } from '../../kafka/kafka-types.ts'
import type { OffsetRanges } from './replay-range.ts'

/** Where a group stands in each of the ranges: from its start, where it has committed nothing, to its end. */
export const positionsIn = async (
  admin: Pick<KafkaAdmin, 'consumerLag' | 'offsetRanges'>,
  group: string,
  topic: string,
  ranges: OffsetRanges,
): Promise<Map<number, bigint>> => {
  // An estimate, for the progress and to find groups of long ago: the end may move between the two.
  const lag = await admin.consumerLag(group, topic)
  // Lag counts to the end of the log, also where a transaction is open.
  const held = await admin.offsetRanges(topic, 'end')
  return new Map(
    [...ranges].map(([partition, { from, to }]) => {
      const committed = (held.get(partition)?.to ?? from) - (lag.get(partition) ?? 0n)
      return [partition, committed < from ? from : committed > to ? to : committed]
    }),
  )
}
