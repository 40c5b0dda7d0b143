import { randomUUID } from 'node:crypto'
// biome-ignore lint/style/noRestrictedImports: asks how far Kafka's own reader has got; it reads no records.
import { type Admin, Kafka, logLevel } from 'kafkajs'
// biome-ignore lint/style/noRestrictedImports: kafkajs' own admin does not tell where a log truly ends.
import { clusterOf } from '../../src/kafka/kafkajs/internals.ts'
// biome-ignore lint/style/noRestrictedImports: as above.
import { LATEST, listedOffsets } from '../../src/kafka/kafkajs/listed-offsets.ts'
// biome-ignore lint/style/noRestrictedImports: the one other client of this process gets the same mend of its timers.
import { quietRequestTimers } from '../../src/kafka/kafkajs/request-timers.ts'
import { resolveArtefacts } from './artefacts.ts'
import type { CommittedRecord } from './console-lines.ts'
import { CommittedReadFailed, startConsoleReader } from './console-reader.ts'
import { kafkaClasspath } from './native-servers.ts'
import { findJava, missingJava, prerequisiteMissing } from './prerequisites.ts'
import type { Environment } from './run-command.ts'
import { pause } from './wait.ts'

export type { CommittedRecord } from './console-lines.ts'
export { CommittedReadFailed } from './console-reader.ts'

/**
 * The class path of Kafka and its tools, fetched with Maven if they are not there yet, wherever the servers run.
 * @throws StackPrerequisiteMissing without Maven
 */
export const ensureKafkaTools = async (options: {
  home: string
  env?: Environment
  onProgress: (message: string) => void
}): Promise<{ classpath: string }> => {
  const { home, env = process.env, onProgress } = options
  return { classpath: kafkaClasspath(await resolveArtefacts({ home, wanted: ['kafka'], env, onProgress })) }
}

type Offsets = ReadonlyMap<number, bigint>

const lookEveryMs = 100
/** A topic that does not exist is not waited for as long as a transaction. */
const endsWithinMs = 10_000

/**
 * Where each partition ends now, for those that were ever written to. The true ends: with open transactions, in which a
 * reader of committed records must not believe that it is done.
 */
const measureEnds = async (kafka: Kafka, topic: string, timeoutMs: number): Promise<Offsets> => {
  const cluster = clusterOf(kafka)
  const deadline = performance.now() + timeoutMs
  for (;;) {
    try {
      const ends = await listedOffsets(cluster, topic, LATEST, false)
      await cluster.disconnect()
      return new Map([...ends].filter(([, end]) => end > 0n))
    } catch (cause) {
      // A leader may be on its way to another broker.
      if (performance.now() > deadline) {
        await cluster.disconnect().catch(() => undefined)
        throw new CommittedReadFailed(`the ends of topic ${topic} cannot be read; does it exist?`, { cause })
      }
      await cluster.refreshMetadata().catch(() => undefined)
    }
    await pause(lookEveryMs)
  }
}

const committedPositions = async (admin: Admin, groupId: string, topic: string): Promise<Offsets> => {
  const [answer] = await admin.fetchOffsets({ groupId, topics: [topic] })
  return new Map((answer?.partitions ?? []).map(({ partition, offset }) => [partition, BigInt(offset)]))
}

/** Which partitions a reader has not read to the end, in words. */
const partitionsBehind = (ends: Offsets, positions: Offsets): string[] =>
  [...ends]
    .filter(([partition, end]) => (positions.get(partition) ?? -1n) < end)
    .map(([partition, end]) => `partition ${partition} stands at ${positions.get(partition) ?? 'nothing'} of ${end}`)

/**
 * Reads all committed records of a topic, up to where each partition ended at the beginning of the call, with Kafka's
 * own Java console consumer: the Node clients hand aborted records to read_committed readers, this one does not.
 *
 * It is done when the reader's committed positions have passed those ends; positions pass transaction markers and
 * aborted records as well. So a transaction that is still open makes it fail after `timeoutMs`, rather than read less.
 * @param options.brokers host:port, separated by commas
 * @param options.home where Kafka's tools are fetched to
 * @param options.onRecord called once per record, in the order of offsets within a partition
 * @returns how many records there were
 * @throws CommittedReadFailed, StackPrerequisiteMissing, and whatever `onRecord` throws
 */
export const readCommitted = async (options: {
  brokers: string
  topic: string
  home: string
  env?: Environment
  timeoutMs?: number
  onRecord: (record: CommittedRecord) => void
  onProgress?: (message: string) => void
}): Promise<{ records: number }> => {
  const {
    brokers,
    topic,
    home,
    env = process.env,
    timeoutMs = 60_000,
    onRecord,
    onProgress = () => undefined,
  } = options
  const { classpath } = await ensureKafkaTools({ home, env, onProgress })
  const java = await findJava(env)
  if (java === null) throw prerequisiteMissing([missingJava])

  const groupId = `driftline-read-committed-${randomUUID()}`
  quietRequestTimers()
  const kafka = new Kafka({ clientId: groupId, brokers: brokers.split(','), logLevel: logLevel.NOTHING })
  const ends = await measureEnds(kafka, topic, Math.min(timeoutMs, endsWithinMs))
  if (ends.size === 0) return { records: 0 }
  const admin = kafka.admin()
  try {
    await admin.connect()
    let records = 0
    const deliver = (record: CommittedRecord) => {
      // What came after the call is left out, so that the answer does not depend on how long the reader took.
      if (record.offset >= (ends.get(record.partition) ?? 0n)) return
      records += 1
      onRecord(record)
    }
    const reader = startConsoleReader({ java, classpath, brokers, topic, groupId, env, onRecord: deliver })
    try {
      const deadline = performance.now() + timeoutMs
      while (!reader.hasFailed()) {
        let cause: unknown
        // A broker that has just started names a coordinator before that is ready; so ask again until the deadline.
        const positions = await committedPositions(admin, groupId, topic).catch((error: unknown): Offsets => {
          cause = error
          return new Map()
        })
        const behind = partitionsBehind(ends, positions)
        if (behind.length === 0) break
        if (performance.now() > deadline) {
          throw new CommittedReadFailed(
            `the committed records of ${topic} could not be read to the end in ${timeoutMs} ms: ` +
              `${behind.join(', ')}. Is a transaction still open? The reader said: ${reader.complaints() || 'nothing'}`,
            { cause },
          )
        }
        await pause(lookEveryMs)
      }
      await reader.stop()
      return { records }
    } finally {
      await reader.abandon()
      await admin.deleteGroups([groupId]).catch(() => undefined)
    }
  } finally {
    await admin.disconnect()
  }
}
