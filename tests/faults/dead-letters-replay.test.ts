import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ReplayFenced } from '../../src/cli/dead-letters/replay-errors.ts'
import { createKafkaClient } from '../../src/kafka/create-client.ts'
import type { KafkaClient } from '../../src/kafka/kafka-types.ts'
import { topicSpecs } from '../../src/kafka/topic-specs.ts'
import { topicsOf } from '../../streams/topics.ts'
import { faultClients } from '../support/fault-clients.ts'
import {
  committedRecords,
  createKafkaBench,
  deleteTopics,
  type KafkaBench,
  kafkaBrokers,
  uniqueName,
} from '../support/kafka.ts'
import type { ReplayOrder } from '../support/programs/faulty-replay.ts'
import { letterOf, prepareWholeReplay } from '../support/replay-world.ts'
import { testLogger } from '../support/test-logger.ts'

const program = fileURLToPath(new URL('../support/programs/faulty-replay.ts', import.meta.url))
const PARTITIONS = 2

/** Times as many letters: for a night. */
const scale = Number(process.env['FAULT_SCALE'] ?? 1)

let bench: KafkaBench
let task: string
let names: string[]
beforeEach(async () => {
  bench = await createKafkaBench()
  task = uniqueName('task')
  const topics = topicsOf(task)
  const specs = topicSpecs(topics, { partitions: PARTITIONS, replicationFactor: 1 }).filter(({ name }) =>
    [topics.features.name, topics.deadLetters.name].includes(name),
  )
  names = specs.map(({ name }) => name)
  await bench.admin.ensureTopics(specs)
})
afterEach(async () => {
  await bench.close()
  await deleteTopics(names)
})

const writeLetters = async (count: number): Promise<string[]> => {
  await bench.producer.send(Array.from({ length: count }, (_, i) => letterOf(task, i, PARTITIONS)))
  return Array.from({ length: count }, (_, i) => `e${i}`)
}

/** What of the letters with these keys arrived, by Kafka's own reader. */
const tally = async (ids: readonly string[]): Promise<{ lost: string[]; twice: string[]; sent: number }> => {
  const counts = new Map<string, number>()
  const records = await committedRecords(topicsOf(task).features.name)
  for (const { key } of records) counts.set(key ?? '', (counts.get(key ?? '') ?? 0) + 1)
  return {
    lost: ids.filter((id) => !counts.has(id)),
    twice: [...counts].filter(([, count]) => count > 1).map(([id]) => id),
    sent: records.length,
  }
}

const runOnce = (order: ReplayOrder): Promise<{ killed: string | null; code: number | null; errors: string }> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [program, JSON.stringify(order)], { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    let errors = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString()
    })
    child.once('close', (code, signal) => {
      resolve({ killed: signal === null ? null : (/killed (\w+)/.exec(output)?.[1] ?? signal), code, errors })
    })
  })

describe.each(faultClients)('on %s', (client) => {
  test('a replay that is killed at any transaction, and run again, sends each letter once', async () => {
    const ids = await writeLetters(4000 * scale)
    const kills: string[] = []
    for (let seed = 1; ; seed++) {
      expect(seed).toBeLessThan(60 * scale)
      const { killed, code, errors } = await runOnce({ task, client, seed, kill: 0.35 })
      if (killed === null) {
        expect(`${code} ${errors}`).toBe('0 ')
        break
      }
      kills.push(killed)
    }
    // The letters lie in eight transactions; a few of them met a fault, or nothing was shown here.
    expect(kills.length).toBeGreaterThan(1)
    expect(await tally(ids)).toEqual({ lost: [], twice: [], sent: ids.length })
  })

  test('of two replays at once the later one goes on with what is left, and says so to the earlier', async () => {
    const ids = await writeLetters(3000)
    const open = (): Promise<KafkaClient> =>
      createKafkaClient(client, { brokers: kafkaBrokers(), clientId: 'replay', logger: testLogger() })
    const { admin } = bench
    const second = await prepareWholeReplay(task, { client: await open(), admin })
    let outcome: Promise<unknown> | undefined
    const first = await prepareWholeReplay(
      task,
      { client: await open(), admin },
      {
        onProgress: () => {
          outcome ??= second.send()
        },
        // Slow enough to be overtaken: it waits in the middle until the second is through.
        decide: async (letter, record) => {
          if (letter.offset === 1200n && outcome !== undefined) await outcome
          return { kind: 'send', fault: null, record: { ...record, topic: topicsOf(task).features.name, headers: {} } }
        },
      },
    )
    await expect(first.send()).rejects.toThrow(ReplayFenced)
    expect(await outcome).toMatchObject({ selected: 3000 })
    expect(await tally(ids)).toEqual({ lost: [], twice: [], sent: ids.length })
  })
})
