import type { Incoming } from '../topology.ts'
import { type DeadLetterReason, type DeadLetterTarget, deadLetterOf } from './dead-letters.ts'
import type { PlainProducer, RawRecord } from './kafka-types.ts'
import type { Codec } from './serde-types.ts'

/** Decodes a batch for a reader that runs at least once. Resolves when what could not be decoded is safely written. */
export type ReaderDecoder<I> = (records: readonly RawRecord[]) => Promise<DecodedRecord<I>[]>

export type DecodedRecord<I> = Incoming<I> & { readonly record: RawRecord }

export type ReaderDecoderOptions<I> = {
  readonly codec: Codec<I>
  readonly producer: PlainProducer
  readonly deadLetters: DeadLetterTarget
  readonly now: () => number
  /** Told after the dead letters of a batch were written. */
  readonly onDeadLetters?: (deadLetters: readonly { record: RawRecord; reason: DeadLetterReason }[]) => void
}

/**
 * Turns records into messages for `runAtLeastOnce`. A record that cannot be decoded is written to the dead letters
 * before the batch's offset is committed: after a crash in between it stands there twice, and is never lost.
 * Rejects, and writes nothing, while the schema registry is down.
 */
export const createReaderDecoder = <I>(options: ReaderDecoderOptions<I>): ReaderDecoder<I> => {
  const { codec, producer, deadLetters, now, onDeadLetters } = options
  return async (records) => {
    await codec.prepare(records.map((record) => record.value))
    const decoded: DecodedRecord<I>[] = []
    const failed: { record: RawRecord; reason: DeadLetterReason }[] = []
    for (const record of records) {
      const result = codec.decode(record.value, record)
      if (result.ok) decoded.push({ source: record, value: result.value, record })
      else failed.push({ record, reason: result })
    }
    if (failed.length > 0) {
      const target = { ...deadLetters, failedAt: now() }
      await producer.send(failed.map(({ record, reason }) => deadLetterOf(record, reason, target)))
      onDeadLetters?.(failed)
    }
    return decoded
  }
}
