import { KafkaUnavailable, PositionLost } from '../kafka-errors.ts'
import { type LogOffsetsDeps, logOffsets } from './log-offsets.ts'

/** The first offset that a partition still holds. @throws KafkaUnavailable, BrokerRefused */
export const readLogStart = async (deps: LogOffsetsDeps, topic: string, partition: number): Promise<bigint> => {
  const start = (await logOffsets(deps, topic, [partition], 'start')).get(partition)
  if (start === undefined) throw new KafkaUnavailable(`${topic}-${partition} does not say where its log starts`)
  return start
}

/**
 * Where a partition goes on whose position the log does not hold: at the log's start, where records expired unread.
 * @throws PositionLost where the position is behind the log's end; KafkaUnavailable, BrokerRefused
 */
export const logStartAfter = async (
  deps: LogOffsetsDeps,
  topic: string,
  partition: number,
  position: bigint,
): Promise<bigint> => {
  const start = await readLogStart(deps, topic, partition)
  if (start > position) return start
  throw new PositionLost(
    `${topic}-${partition} has to go on from offset ${position}, but its log starts at ${start} and ends before that; reset the group's offsets if the topic was made anew`,
  )
}
