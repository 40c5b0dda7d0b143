import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { choosePort } from '../../dev/stack/ports.ts'
import { type DriftlineRun, runDriftline } from '../support/driftline.ts'
import { classifiers } from '../support/engine-candidates.ts'
import { eventually } from '../support/eventually.ts'
import { parseExposition } from '../support/exposition.ts'
import { committedRecords } from '../support/kafka.ts'
import { createVersionsWorld, type VersionsWorld } from '../support/versions-world.ts'

type WorkerState = { ok: boolean; pid: number | null; restarts: number }
type Health = { status: string; details: { workers: Record<string, WorkerState> } }

const partitions = 4
let world: VersionsWorld
let port: number
let run: DriftlineRun | undefined

/** Runs two workers, from a terminal of their own. */
const start = (servers: NodeJS.ProcessEnv = {}): DriftlineRun => {
  const env = { DRIFTLINE_METRICS_PORT: String(port), DRIFTLINE_INSTANCE_ID: 'test', ...servers }
  run = runDriftline(world.task, ['run', 'score', '--workers', '2'], env, { ownGroup: true })
  return run
}

const health = async (): Promise<Health> => (await (await fetch(`http://127.0.0.1:${port}/health`)).json()) as Health
const workers = async (): Promise<WorkerState[]> => Object.values((await health()).details.workers)
const pids = async (): Promise<number[]> => (await workers()).map(({ pid }) => pid ?? 0)

const allWell = () =>
  eventually(
    async () => {
      const { status, details } = await health()
      expect(status).toBe('ok')
      return details.workers
    },
    { timeoutMs: 90_000, everyMs: 200 },
  )

const metrics = async () => parseExposition(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text())

/** Events that each worker has scored, by its label. */
const scored = async (): Promise<Record<string, number>> =>
  Object.fromEntries(
    (await metrics()).samples
      .filter(({ name, labels }) => name === 'driftline_events_total' && labels['outcome'] === 'scored')
      .map(({ labels, value }) => [labels['worker'] ?? '', value]),
  )

const caughtUp = () =>
  eventually(
    async () => {
      const lag = await world.kafka.admin.consumerLag(`${world.task.task}.score`, world.kafka.topics.features.name)
      expect([...lag.values()]).toEqual(Array.from({ length: partitions }, () => 0n))
    },
    { timeoutMs: 90_000, everyMs: 200 },
  )

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const predictedKeys = async (): Promise<(string | null)[]> =>
  (await committedRecords(world.kafka.topics.predictions.name)).map(({ key }) => key).sort()
const keys = (count: number) => Array.from({ length: count }, (_, i) => `k${i}`).sort()

// Consumers join a group and leave it, and a killed one is missed after the session's timeout.
describe('driftline run score --workers 2', { timeout: 180_000 }, () => {
  beforeEach(async () => {
    world = await createVersionsWorld({ stream: { partitions } })
    const { version } = await world.addVersion(classifiers.find(({ name }) => name === 'lbfgs')!)
    await world.store.setAlias({ alias: 'production', version, actor: 'test', reason: 'x', at: 0 }, 0)
    port = await choosePort({})
  })

  afterEach(async () => {
    run?.child.kill('SIGKILL')
    await run?.ended
    run = undefined
    await world.close()
  })

  test('shares the partitions out, shows all metrics on one page, and ends with both', async () => {
    const { child, ended, stderr } = start()
    await allWell()
    await world.send(0, 2000)
    await caughtUp()
    expect(await predictedKeys()).toEqual(keys(2000))

    const { families, samples } = await metrics()
    expect(families.get('driftline_events_total')?.type).toBe('COUNTER')
    expect(new Set(samples.map(({ labels }) => labels['worker']))).toEqual(new Set(['score-1', 'score-2']))
    const byWorker = await scored()
    expect(byWorker['score-1']! + byWorker['score-2']!).toBe(2000)
    for (const count of Object.values(byWorker)) expect(count).toBeGreaterThan(0)
    expect(stderr().match(/score is running/g)).toEqual(['score is running'])

    const running = await pids()
    child.kill('SIGTERM')
    expect(await ended, stderr()).toBe(0)
    expect(running.map(isAlive)).toEqual([false, false])
  })

  test('starts a killed worker again; each event is scored once, and Ctrl+C ends all', async () => {
    const { child, ended, stderr } = start()
    await allWell()
    await world.send(0, 1000)
    await caughtUp()

    const [killed] = await pids()
    process.kill(killed!, 'SIGKILL')
    await eventually(async () => expect((await health()).status).toBe('unavailable'))
    await world.send(1000, 2000)
    const after = await allWell()
    expect(after['score-1']).toMatchObject({ ok: true, restarts: 1 })
    expect(after['score-1']?.pid).not.toBe(killed)
    expect(after['score-2']).toMatchObject({ ok: true, restarts: 0 })
    await caughtUp()
    const before = await scored()
    await world.send(2000, 3000)
    await caughtUp()
    expect(await predictedKeys()).toEqual(keys(3000))
    // The one that came back works again.
    await eventually(async () => expect((await scored())['score-1']).toBeGreaterThan(before['score-1']!))

    const running = await pids()
    // A terminal sends it to every process of the group.
    process.kill(-child.pid!, 'SIGINT')
    expect(await ended, stderr()).toBe(0)
    expect(running.map(isAlive)).toEqual([false, false])
  })

  test('ends its workers before itself when it is told to stop while they start', async () => {
    const { child, ended, stderr } = start()
    const running = await eventually(
      async () => {
        const found = await pids()
        expect(found).not.toContain(0)
        return found
      },
      { timeoutMs: 60_000 },
    )
    child.kill('SIGTERM')
    expect(await ended, stderr()).toBe(0)
    expect(running).toHaveLength(2)
    expect(running.map(isAlive)).toEqual([false, false])
  })

  test('ends with the exit code of a worker that cannot start', async () => {
    const { ended, stderr } = start({ KAFKA_BROKERS: '127.0.0.1:1' })
    expect(await ended, stderr()).toBe(4)
    expect(stderr()).toMatch(/the role score-[12] ended with exit code 4; its output stands above/)
  })

  test('a port that is taken is told before any worker joins the group', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
    try {
      const { ended, stderr } = start()
      expect(await ended).toBe(1)
      expect(stderr()).toContain(`port ${port} of 127.0.0.1 is taken`)
      expect(stderr()).not.toContain('joined')
    } finally {
      server.close()
    }
  })
})
