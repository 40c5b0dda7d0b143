import type { DeadLetterTarget } from './dead-letters.ts'
import { KafkaUnsuitable } from './kafka-errors.ts'
import type { KafkaAdmin } from './kafka-types.ts'
import { MAX_DEAD_LETTER_BYTES, MAX_RECORD_BYTES } from './record-size.ts'
import { DEAD_LETTER_MAX_BYTES } from './topic-specs.ts'

/** A batch of one record takes this much beside it. */
const BATCH_BYTES = 100

/**
 * Looks at the topic of the dead letters before anything is written to it. A topic that was made by somebody else may
 * take less than the largest letter: such letters are cut to what it takes, and `warn` is told what to do.
 * @throws KafkaUnsuitable where it does not even take what every topic has to: letters would be refused for ever, and
 * the stream would stand still
 */
export const openDeadLetterTopic = async (
  admin: Pick<KafkaAdmin, 'partitionsOf' | 'topicConfig'>,
  topic: string,
  warn: (message: string) => void = () => undefined,
): Promise<Required<DeadLetterTarget>> => {
  const [partitions, config] = await Promise.all([admin.partitionsOf(topic), admin.topicConfig(topic)])
  const limit = Number(config.get('max.message.bytes') ?? Number.NaN)
  const wanted = { topic, partitions, maxBytes: MAX_DEAD_LETTER_BYTES }
  if (!(limit - BATCH_BYTES < MAX_DEAD_LETTER_BYTES)) return wanted
  const remedy = `set max.message.bytes of ${topic} to ${DEAD_LETTER_MAX_BYTES} (kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config max.message.bytes=${DEAD_LETTER_MAX_BYTES})`
  if (limit - BATCH_BYTES < MAX_RECORD_BYTES) {
    throw new KafkaUnsuitable(
      `${topic} takes ${limit} bytes in a batch, and batches of dead letters are up to ${MAX_RECORD_BYTES} long; ${remedy}`,
    )
  }
  warn(`${topic} takes records of up to ${limit} bytes; larger dead letters are cut and cannot be sent back: ${remedy}`)
  return { ...wanted, maxBytes: limit - BATCH_BYTES }
}
