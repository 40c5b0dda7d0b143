import { createRecordsBatch, Reader, readRecordsBatches } from '@platformatic/kafka'
import { createRecordQueue } from '../../src/kafka/wire/record-queue.ts'
import { createBatchSink } from '../../src/kafka/wire/record-sink.ts'
import type { BenchLine } from '../models/model-bench.ts'

const RECORDS = 2000
const KEY_BYTES = 36
const HEADER = 'driftline.prediction.id'
const HEADER_BYTES = 20
const ROUNDS = 40
const WARM_ROUNDS = 15
/** How many times as fast as the library's own encoder and decoder, which make objects of each record. */
const LEAST_RATIO = 5

type Way = { readonly write: () => Buffer; readonly read: (records: Buffer) => number }

const identity = { producerId: 1n, producerEpoch: 0, transactional: true, baseSequenceOf: () => 0 }

const byColumns = (valueBytes: number): Way => {
  const sink = createBatchSink()
  const queue = createRecordQueue({ topic: 'records', partition: 0, offset: 0n })
  const key = Buffer.alloc(KEY_BYTES, 'k')
  const scratch = Buffer.alloc(valueBytes + HEADER_BYTES, 'v')
  return {
    write: () => {
      sink.reset()
      const lane = sink.lane('records', 0, HEADER)
      for (let i = 0; i < RECORDS; i++) lane.append(key, 0, KEY_BYTES, scratch, 0, valueBytes, scratch.length)
      return sink.finish(identity)[0]![0]!.bytes
    },
    read: (records) => {
      queue.clear(0n)
      queue.push({ records, abortedTransactions: [] }, 0n)
      const batch = queue.take(RECORDS, Number.POSITIVE_INFINITY)
      let bytes = 0
      if (batch === null) return bytes
      for (let i = 0; i < batch.length; i++) bytes += batch.valueEnds[i]! - batch.valueStarts[i]!
      return bytes
    },
  }
}

const byLibrary = (valueBytes: number): Way => {
  const key = Buffer.alloc(KEY_BYTES, 'k')
  const value = Buffer.alloc(valueBytes, 'v')
  const headers = new Map([[Buffer.from(HEADER), Buffer.alloc(HEADER_BYTES, 'v')]])
  return {
    write: () => {
      const messages = Array.from({ length: RECORDS }, () => ({ topic: 'records', partition: 0, key, value, headers }))
      return createRecordsBatch(messages, { producerId: 1n, producerEpoch: 0, transactionalId: 'id' }).buffer
    },
    read: (records) => {
      let bytes = 0
      for (const batch of readRecordsBatches(Reader.from(records))) {
        for (const record of batch.records) bytes += record.value?.length ?? 0
      }
      return bytes
    },
  }
}

/** Processor time: what else the machine does says nothing of the code. */
const nanoseconds = (work: () => void): number => {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1000) / RECORDS
}

const measure = (valueBytes: number): BenchLine => {
  const ways = { ours: byColumns(valueBytes), library: byLibrary(valueBytes) }
  const fastest = { ours: { write: Infinity, read: Infinity }, library: { write: Infinity, read: Infinity } }
  for (let round = 0; round < WARM_ROUNDS + ROUNDS; round++) {
    for (const name of ['ours', 'library'] as const) {
      let records: Buffer = Buffer.alloc(0)
      let bytes = 0
      const write = nanoseconds(() => {
        records = ways[name].write()
      })
      const read = nanoseconds(() => {
        bytes = ways[name].read(records)
      })
      if (bytes !== RECORDS * valueBytes) throw new Error(`${bytes} bytes were read`)
      if (round < WARM_ROUNDS) continue
      const best = fastest[name]
      best.write = Math.min(best.write, write)
      best.read = Math.min(best.read, read)
    }
  }
  const { ours, library } = fastest
  const ratio = (library.write + library.read) / (ours.write + ours.read)
  const text = ({ write, read }: { write: number; read: number }) => `${write.toFixed(0)} + ${read.toFixed(0)} ns`
  return {
    measure: `write + read one record of ${valueBytes} bytes`,
    ours: text(ours),
    peer: `@platformatic/kafka ${text(library)}`,
    figure: `${ratio.toFixed(1)}x`,
    target: `>= ${LEAST_RATIO}x`,
    met: ratio >= LEAST_RATIO,
  }
}

/** Record batches in transactions, key of 36 bytes and a header, checksum included: our wire layer and the library's. */
export const run = async (): Promise<BenchLine[]> => [60, 250].map(measure)
