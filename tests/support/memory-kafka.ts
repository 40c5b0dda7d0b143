import { CommitUncertain, ProducerFenced, SendFailed } from '../../src/kafka/kafka-errors.ts'
import type { KafkaAdmin, KafkaClient, OffsetRange, OutgoingRecord, RawRecord } from '../../src/kafka/kafka-types.ts'
import { sampleBatch } from './sample-batch.ts'

/** What became of a transaction, and the logs that it wrote to. */
type State = { kind: 'committed' | 'aborted' | 'open'; readonly logs: Set<Entry[]> }

type Entry = {
  readonly state: State
  /** Null for the marker that ends a transaction. */
  readonly record: OutgoingRecord | null
  readonly timestamp: number
}

/** What becomes of a commit: `lost` is done and not answered, `refused` is not done, `killed` ends the process at either. */
export type CommitFault = 'lost' | 'refused' | 'killed-before' | 'killed-after' | null

export class Killed extends Error {}

const newState = (kind: State['kind']): State => ({ kind, logs: new Set() })

const toBytes = (value: Uint8Array | string): Uint8Array => (typeof value === 'string' ? Buffer.from(value) : value)

/** Topics in memory with transactions, fencing and last stable offsets, as far as commands need them. */
export const createMemoryKafka = (topics: Readonly<Record<string, number>>) => {
  const logs = new Map(
    Object.entries(topics).map(([name, count]) => [name, Array.from({ length: count }, () => [] as Entry[])]),
  )
  const owners = new Map<string, { epoch: number; open: State | null }>()
  let clock = 1_000_000
  let faultOf: (records: readonly OutgoingRecord[]) => CommitFault = () => null

  const logOf = (topic: string, partition: number): Entry[] => {
    const log = logs.get(topic)?.[partition]
    if (log === undefined) throw new Error(`there is no ${topic}-${partition}`)
    return log
  }
  const append = (record: OutgoingRecord, state: State): bigint => {
    clock += 1
    const log = logOf(record.topic, record.partition)
    state.logs.add(log)
    return BigInt(log.push({ state, record: { ...record }, timestamp: clock }) - 1)
  }
  const end = (state: State, kind: 'committed' | 'aborted'): void => {
    state.kind = kind
    for (const log of state.logs) log.push({ state: newState('committed'), record: null, timestamp: clock })
  }
  const rangeOf = (log: readonly Entry[]): OffsetRange => {
    const open = log.findIndex((entry) => entry.state.kind === 'open')
    return { from: 0n, to: BigInt(open < 0 ? log.length : open) }
  }
  const committedIn = (topic: string, partition: number, from: number, to: number): RawRecord[] =>
    logOf(topic, partition)
      .slice(from, to)
      .flatMap(({ record, state, timestamp }, i) => {
        if (record === null || state.kind !== 'committed') return []
        const headers = Object.entries(record.headers ?? {}).map(([name, value]) => [name, toBytes(value)])
        return [{ ...record, offset: BigInt(from + i), timestamp, headers: Object.fromEntries(headers) }]
      })
  const committed = (topic: string): RawRecord[] =>
    (logs.get(topic) ?? []).flatMap((log, partition) => committedIn(topic, partition, 0, log.length))

  const client: Pick<KafkaClient, 'readRanges' | 'transactionalProducer'> = {
    readRanges: async ({ topic, ranges, process }) => {
      for (const [partition, { from, to }] of ranges) {
        const wanted = committedIn(topic, partition, Number(from), Number(to)).map((record) => ({
          ...record,
          offset: Number(record.offset),
        }))
        for (let i = 0; i < wanted.length; i += 7)
          await process(sampleBatch(wanted.slice(i, i + 7), { topic, partition }))
      }
    },
    transactionalProducer: async ({ transactionalId }) => {
      const owner = owners.get(transactionalId) ?? { epoch: 0, open: null }
      owners.set(transactionalId, owner)
      if (owner.open !== null) end(owner.open, 'aborted')
      owner.open = null
      owner.epoch += 1
      const mine = owner.epoch
      let ended: CommitUncertain | undefined
      return {
        close: async () => undefined,
        commit: async (records) => {
          if (ended !== undefined) throw ended
          if (owner.epoch !== mine) throw new ProducerFenced('somebody opened the id')
          const fault = faultOf(records)
          const state = newState('open')
          owner.open = state
          for (const record of records) append(record, state)
          if (fault === 'killed-before') throw new Killed()
          if (fault === 'refused') throw new SendFailed('not written', { retryable: true })
          end(state, 'committed')
          owner.open = null
          if (fault === 'killed-after') throw new Killed()
          if (fault === 'lost') {
            ended = new CommitUncertain(`a transaction under ${transactionalId}`, new Error('no answer'))
            throw ended
          }
        },
      }
    },
  }
  const admin: Pick<KafkaAdmin, 'offsetRanges' | 'offsetsAt' | 'partitionsOf' | 'topicConfig'> = {
    offsetRanges: async (topic) => new Map((logs.get(topic) ?? []).map((log, partition) => [partition, rangeOf(log)])),
    offsetsAt: async (topic, timestampMs) =>
      new Map(
        (logs.get(topic) ?? []).map((log, partition) => {
          const found = log.findIndex((entry) => entry.timestamp >= timestampMs)
          return [partition, BigInt(found < 0 ? log.length : found)]
        }),
      ),
    partitionsOf: async (topic) => logs.get(topic)?.length ?? 0,
    topicConfig: async () => new Map([['max.message.bytes', '1048588']]),
  }
  return {
    client,
    admin,
    committed,
    write: (record: OutgoingRecord): bigint => append(record, newState('committed')),
    /** Writes a record of a transaction that stays open until the returned function is called. */
    writeOpen: (record: OutgoingRecord): (() => void) => {
      const state = newState('open')
      append(record, state)
      return () => end(state, 'committed')
    },
    failCommits: (decide: (records: readonly OutgoingRecord[]) => CommitFault): void => {
      faultOf = decide
    },
  }
}
