import { type DeadLetter, type LetterRecord, resentRecord } from '../../../streams/dead-letter-replay.ts'
import type { KafkaAdmin, OutgoingRecord } from '../../kafka/kafka-types.ts'
import { wireBytes } from '../../kafka/record-size.ts'
import type { RecordSource } from '../../topology.ts'
import type { Destination, Fault } from './destinations.ts'
import type { Repair } from './repair.ts'

/** A batch of one record takes this much beside it. */
const BATCH_OVERHEAD_BYTES = 100

/** What becomes of a letter whose headers let it be sent. */
export type Decision =
  | {
      readonly kind: 'send'
      readonly record: OutgoingRecord
      /** Why it would be refused again; it is sent all the same. */
      readonly fault: Fault | null
    }
  | { readonly kind: 'leave'; readonly reason: 'would_fail' | 'dropped_by_fix'; readonly fault: Fault | null }

/** @throws SchemaRegistryUnavailable, KafkaUnavailable */
export type DecideLetter = (letter: DeadLetter, record: LetterRecord & { timestamp: number }) => Promise<Decision>

/** Where a letter's record lay, as its reader saw it. */
export const recordSourceOf = (
  source: NonNullable<DeadLetter['source']>,
  letter: DeadLetter,
  record: LetterRecord & { timestamp: number },
): RecordSource => ({ ...source, timestamp: letter.sourceTimestamp ?? record.timestamp, key: record.key })

/**
 * Decides by its bytes whether a letter is sent: it is repaired if it is to be, and has to be something that the reader
 * of its topic accepts now. What the topic cannot hold is left out however much it is wanted.
 */
export const createDecideLetter = (options: {
  readonly destinations: ReadonlyMap<string, Destination>
  readonly repair: Repair | null
  /** Send what would be refused again. */
  readonly force: boolean
  readonly admin: Pick<KafkaAdmin, 'partitionsOf' | 'topicConfig'>
}): DecideLetter => {
  const { destinations, repair, force, admin } = options
  const shapes = new Map<string, Promise<{ partitions: number; maxBytes: number }>>()

  const shapeOf = (topic: string) => {
    let shape = shapes.get(topic)
    if (shape === undefined) {
      shape = Promise.all([admin.partitionsOf(topic), admin.topicConfig(topic)]).then(([partitions, config]) => ({
        partitions,
        maxBytes: Number(config.get('max.message.bytes') ?? Number.POSITIVE_INFINITY) - BATCH_OVERHEAD_BYTES,
      }))
      shapes.set(topic, shape)
      // Not kept where the brokers did not answer: the next round asks again.
      shape.catch(() => shapes.delete(topic))
    }
    return shape
  }

  const leave = (fault: Fault): Decision => ({ kind: 'leave', reason: 'would_fail', fault })

  return async (letter, record) => {
    const { source } = letter
    const destination = source === null ? undefined : destinations.get(source.topic)
    if (source === null || destination === undefined) {
      return leave({
        code: 'UNKNOWN_SOURCE',
        message: `${source?.topic ?? 'no topic'} is not one of the task's topics`,
      })
    }
    const at = recordSourceOf(source, letter, record)
    let value = record.value
    if (repair !== null) {
      const repaired = await repair(letter, record, { destination, source: at })
      if (repaired.kind === 'failed') return leave(repaired.fault)
      if (repaired.kind === 'dropped') return { kind: 'leave', reason: 'dropped_by_fix', fault: null }
      value = repaired.value
    }
    const fault = await destination.faultOf(value, at)
    if (fault !== null && !force) return leave(fault)
    const { partitions, maxBytes } = await shapeOf(source.topic)
    const sent = resentRecord({ ...letter, source }, record, { value, partitions })
    const bytes = wireBytes(sent)
    if (bytes > maxBytes) {
      return leave({
        code: 'RECORD_TOO_LARGE',
        message: `it has ${bytes} bytes with key and headers, and ${source.topic} takes ${maxBytes}`,
      })
    }
    return { kind: 'send', record: sent, fault }
  }
}
