import { type LetterSource, replayHeaders } from '../../../streams/dead-letter-replay.ts'
import type { KafkaAdmin, KafkaClient } from '../../kafka/kafka-types.ts'

/** Records behind the moment of the marker that are looked at: the record lies in the marker's transaction. */
const MAX_SEARCHED = 200_000n

/** The clock of the replay and that of its records are one; a topic may be set to the broker's. */
const CLOCK_MARGIN_MS = 60_000

const utf8 = new TextDecoder()

/** The offsets of the records that were sent for a letter, as far as they are found near the moment of its marker. */
export const findResent = async (options: {
  readonly client: Pick<KafkaClient, 'readRanges'>
  readonly admin: Pick<KafkaAdmin, 'offsetRanges' | 'offsetsAt' | 'partitionsOf'>
  readonly letterId: string
  readonly source: LetterSource
  /** Milliseconds since the epoch. */
  readonly replayedAt: number
}): Promise<{ partition: number; offset: number }[]> => {
  const { client, admin, letterId, source, replayedAt } = options
  const { topic } = source
  const partition = source.partition % (await admin.partitionsOf(topic))
  const from = (await admin.offsetsAt(topic, replayedAt - CLOCK_MARGIN_MS)).get(partition)
  const end = (await admin.offsetRanges(topic)).get(partition)?.to
  if (from === undefined || end === undefined || from >= end) return []
  const to = from + MAX_SEARCHED < end ? from + MAX_SEARCHED : end
  const found: { partition: number; offset: number }[] = []
  await client.readRanges({
    topic,
    ranges: new Map([[partition, { from, to }]]),
    process: (batch) => {
      for (let i = 0; i < batch.length; i++) {
        const of = batch.headersOf(i)[replayHeaders.of]
        if (of !== undefined && utf8.decode(of) === letterId) found.push({ partition, offset: batch.offsets[i]! })
      }
    },
  })
  return found
}
