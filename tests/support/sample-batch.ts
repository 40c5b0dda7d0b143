import type { OutgoingRecord, RecordBatch, RecordSink } from '../../src/kafka/kafka-types.ts'

/** What a test says of a record; the rest is made up. */
export type SampleRecord = {
  readonly value: Uint8Array | string | null
  readonly key?: Uint8Array | string | null
  readonly offset?: number
  readonly timestamp?: number
  readonly headers?: Readonly<Record<string, Uint8Array>>
}

/** A batch over one buffer, with bytes between the values that nobody may read. */
export const sampleBatch = (
  records: readonly SampleRecord[],
  { topic = 'in', partition = 3 }: { topic?: string; partition?: number } = {},
): RecordBatch => {
  const pieces: Buffer[] = []
  let length = 0
  const place = (bytes: Uint8Array | string | null | undefined): [start: number, end: number] => {
    if (bytes === null || bytes === undefined) return [-1, -1]
    const piece = Buffer.from(bytes as string)
    pieces.push(piece, Buffer.from([0xff]))
    const start = length
    length += piece.length + 1
    return [start, start + piece.length]
  }
  const keys = records.map(({ key }) => place(key))
  const values = records.map(({ value }) => place(value))
  return {
    topic,
    partition,
    length: records.length,
    // Not at the start of its memory, as a piece of a reply.
    bytes: Buffer.concat([Buffer.alloc(3), ...pieces]).subarray(3),
    offsets: Float64Array.from(records, ({ offset }, i) => offset ?? i),
    timestamps: Float64Array.from(records, ({ timestamp }) => timestamp ?? 1),
    keyStarts: Int32Array.from(keys, ([start]) => start),
    keyEnds: Int32Array.from(keys, ([, end]) => end),
    valueStarts: Int32Array.from(values, ([start]) => start),
    valueEnds: Int32Array.from(values, ([, end]) => end),
    headersOf: (index) => records[index]?.headers ?? {},
  }
}

/** A sink that keeps copies of what it takes. */
export const createSampleSink = (): { sink: RecordSink; records: OutgoingRecord[] } => {
  const records: OutgoingRecord[] = []
  const copy = (bytes: Uint8Array | null): Buffer | null => (bytes === null ? null : Buffer.from(bytes))
  return {
    records,
    sink: {
      add: (record) => records.push({ ...record, key: copy(record.key), value: copy(record.value) }),
      lane: (topic, partition, headerName) => ({
        append: (keyBytes, keyStart, keyEnd, scratch, valueStart, valueEnd, headerEnd) => {
          records.push({
            topic,
            partition,
            key: keyStart < 0 ? null : Buffer.from(keyBytes.subarray(keyStart, keyEnd)),
            value: Buffer.from(scratch.subarray(valueStart, valueEnd)),
            headers: { [headerName]: Buffer.from(scratch.subarray(valueEnd, headerEnd)) },
          })
        },
      }),
    },
  }
}
