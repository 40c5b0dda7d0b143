import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CommittedRecord } from '../../dev/stack/console-consumer.ts'
import type { KafkaClientName } from '../../src/config/kafka-schema.ts'
import type { KeyedRecord } from '../../src/kafka/kafka-types.ts'
import type { TransactionStep } from '../../src/kafka/transaction-steps.ts'
import { eventually } from '../support/eventually.ts'
import { faultClients } from '../support/fault-clients.ts'
import { committedRecords, createKafkaBench, type KafkaBench } from '../support/kafka.ts'
import type { FaultOrder } from '../support/programs/faulty-scorer.ts'
import { createSmallTask, type SmallTask } from '../support/small-task.ts'

const program = fileURLToPath(new URL('../support/programs/faulty-scorer.ts', import.meta.url))
const SESSION = { sessionTimeoutMs: 2000, transactionTimeoutMs: 1500 }
/** Longer than the session: the worker wakes up when another owns its partitions. */
const PAUSE_MS = 3500

/** Times as many events, and so faults: for a night. */
const scale = Number(process.env['FAULT_SCALE'] ?? 1)

let bench: KafkaBench
let task: SmallTask
const children = new Set<ChildProcess>()
beforeEach(async () => {
  bench = await createKafkaBench()
  task = await createSmallTask({ bench, partitions: 4 })
})
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  await bench.close()
  await task.close()
})

const numbersOf = (records: readonly CommittedRecord[]): number[] => records.map(({ key }) => Number(key?.slice(1)))
const ascending = (a: number, b: number): number => a - b

/** Every step, in the order of a transaction; the type sees to it that none is missing. */
const steps = Object.keys({
  fenced: true,
  positioned: true,
  begun: true,
  sent: true,
  'offsets-sent': true,
  'commit-sent': true,
  committed: true,
} satisfies Record<TransactionStep, true>) as TransactionStep[]

type Faults = Pick<FaultOrder, 'kill' | 'pause' | 'plan'>

/** Keeps one worker running: one that was killed is started again with the next seed, one that was stopped goes on. */
const keepWorking = (client: KafkaClientName, firstSeed: number, { plan, ...chances }: Faults) => {
  const suffered: string[] = []
  const unexpected: string[] = []
  let child: ChildProcess
  let ending = false
  let ready = false
  const ended = Promise.withResolvers<'in order' | 'by a fault' | 'badly'>()

  /** The first faults are those of the plan, whatever lives they came in. */
  const planned = () => plan.slice(suffered.length)

  const start = (seed: number): void => {
    const order: FaultOrder = { task: task.name, client, seed, plan: planned(), ...chances, ...SESSION }
    child = spawn(process.execPath, [program, JSON.stringify(order)], { stdio: ['ignore', 'pipe', 'pipe'] })
    const current = child
    ready = false
    children.add(current)
    let errors = ''
    current.stderr?.on('data', (chunk: Buffer) => {
      errors += chunk.toString()
    })
    createInterface({ input: current.stdout! }).on('line', (line) => {
      if (line === 'ready') ready = true
      else suffered.push(line)
      if (line.startsWith('stop')) setTimeout(() => current.kill('SIGCONT'), PAUSE_MS)
    })
    current.once('close', (code, signal) => {
      children.delete(current)
      if (ending) ended.resolve(code === 0 ? 'in order' : signal === 'SIGKILL' ? 'by a fault' : 'badly')
      else if (signal === 'SIGKILL') start(seed + 1)
      else unexpected.push(`a worker ended with ${code ?? signal}: ${errors}`)
    })
  }
  start(firstSeed)

  return {
    suffered,
    unexpected,
    planned,
    /** Asks the worker to stop. Its last transaction may still have had a fault in store for it. */
    end: async (): Promise<'in order' | 'by a fault' | 'badly'> => {
      await eventually(() => expect(ready).toBe(true))
      ending = true
      child.kill('SIGCONT')
      child.kill('SIGTERM')
      return await ended.promise
    },
  }
}

describe.each(faultClients)('with the client %s', (client) => {
  test.each([
    ['killed', { fault: 'kill', kill: 0.01, pause: 0 }, 11_000],
    ['put to sleep past its session, or killed', { fault: 'stop', kill: 0.006, pause: 0.004 }, 23_000],
  ] as const)(
    'a worker that is %s at any step of a transaction loses nothing and writes nothing twice',
    async (_, { fault, ...chances }, seed) => {
      let count = 0
      const { features, predictions, deadLetters } = task.topics
      // Every 50th event cannot be scored: its dead letter lies in the same transactions.
      const isPoison = (i: number): boolean => i % 50 === 7
      const event = (i: number): KeyedRecord => ({
        topic: features.name,
        partition: i % 4,
        key: Buffer.from(`e${i}`),
        value: isPoison(i)
          ? Buffer.from(`poison ${i}`)
          : task.codecs.features.encode({ event_id: `e${i}`, event_time: i, a: (i % 7) - 3, b: null }),
      })
      const send = async (records: number): Promise<void> => {
        for (const end = count + records; count < end; count += 2000) {
          await bench.producer.send(Array.from({ length: 2000 }, (_, j) => event(count + j)))
        }
      }
      await send(12_000 * scale)

      // Each step once for sure, a part of them for each worker; then at random.
      const workers = [0, 1].map((worker) => {
        const plan = steps.filter((_, i) => i % 2 === worker).map((step) => ({ fault, step }))
        return keepWorking(client, seed + 1000 * worker, { ...chances, plan })
      })
      const unexpected = () => workers.flatMap((worker) => worker.unexpected)
      const caughtUp = () =>
        eventually(
          async () => {
            if (unexpected().length > 0) return
            const lag = await bench.admin.consumerLag(`${task.name}.score`, features.name)
            expect([...lag.values()]).toEqual([0n, 0n, 0n, 0n])
          },
          { timeoutMs: 200_000 * scale, everyMs: 300 },
        )
      await caughtUp()
      // One of them may have done it all while the other was away.
      while (unexpected().length === 0 && workers.some((worker) => worker.planned().length > 0)) {
        await send(2000)
        await caughtUp()
      }
      expect(unexpected()).toEqual([])
      expect(await Promise.all(workers.map((worker) => worker.end()))).not.toContain('badly')

      const suffered = workers.flatMap((worker) => worker.suffered)
      console.info(`${suffered.length} faults: ${suffered.toSorted().join(', ')}`)
      expect(suffered).toEqual(expect.arrayContaining(steps.map((step) => `${fault} ${step}`)))

      const all = Array.from({ length: count }, (_, i) => i)
      const good = all.filter((i) => !isPoison(i))
      const [scored, refused] = [await committedRecords(predictions.name), await committedRecords(deadLetters.name)]
      expect(numbersOf(scored).toSorted(ascending)).toEqual(good)
      expect(numbersOf(refused).toSorted(ascending)).toEqual(all.filter(isPoison))
      for (const records of [scored, refused]) {
        for (let partition = 0; partition < 4; partition++) {
          const written = numbersOf(records.filter((record) => record.partition === partition))
          expect(written, 'the order of the events').toEqual(written.toSorted(ascending))
        }
      }
    },
    300_000 * scale,
  )
})
