import type { KafkaAdmin, OffsetRange } from '../../kafka/kafka-types.ts'
import type { ReplayTime } from './replay-time.ts'

/** Offsets by partition: each from the first, included, to the last, excluded. */
export type OffsetRanges = ReadonlyMap<number, OffsetRange>

const offsetsOf = async (
  admin: Pick<KafkaAdmin, 'offsetsAt'>,
  topic: string,
  time: ReplayTime,
  held: OffsetRanges,
): Promise<(partition: number) => bigint | undefined> => {
  if (time.at === 'earliest') return (partition) => held.get(partition)?.from
  if (time.at === 'latest') return (partition) => held.get(partition)?.to
  const offsets = await admin.offsetsAt(topic, time.timestampMs)
  return (partition) => offsets.get(partition)
}

const clamp = (offset: bigint, { from, to }: OffsetRange): bigint => (offset < from ? from : offset > to ? to : offset)

/**
 * The offsets of the records whose timestamps lie from `from`, included, to `to`, excluded, in each partition: those
 * between the first record that is not older than `from` and the first one that is not older than `to`. Partitions
 * without any are left out.
 */
export const offsetRangesBetween = async (
  admin: Pick<KafkaAdmin, 'offsetRanges' | 'offsetsAt'>,
  topic: string,
  from: ReplayTime,
  to: ReplayTime,
): Promise<Map<number, OffsetRange>> => {
  const held = await admin.offsetRanges(topic)
  const [first, last] = [await offsetsOf(admin, topic, from, held), await offsetsOf(admin, topic, to, held)]
  const ranges = new Map<number, OffsetRange>()
  for (const [partition, all] of held) {
    const range = { from: clamp(first(partition) ?? all.to, all), to: clamp(last(partition) ?? all.to, all) }
    if (range.from < range.to) ranges.set(partition, range)
  }
  return ranges
}

/** How many offsets the ranges span; some of them may hold no record. */
export const offsetsIn = (ranges: OffsetRanges): number => {
  let sum = 0
  for (const { from, to } of ranges.values()) sum += Number(to - from)
  return sum
}
