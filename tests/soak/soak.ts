import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, totalmem } from 'node:os'
import { resolve } from 'node:path'
import { setTimeout as later } from 'node:timers/promises'
import { artefactFolders } from '../../dev/stack/artefacts.ts'
import { createRandom } from '../../src/features/random.ts'
import type { Load } from '../support/scoring-world/load.ts'
import type { Verdict } from '../support/scoring-world/oracle.ts'
import { createScoringWorld, type ScoringWorld } from '../support/scoring-world/world.ts'
import { faultKinds, type Scene, scheduleOf } from './fault-kinds.ts'
import { watchProgress } from './progress-watch.ts'
import type { SoakOptions } from './soak-options.ts'
import { type SoakResult, violationsOf } from './soak-report.ts'
import { type SoakServers, startSoakServers } from './soak-servers.ts'
import { createWorkerCrew } from './worker-crew.ts'

const SESSION = { sessionTimeoutMs: 6000, transactionTimeoutMs: 5000 }
const PARTITIONS = 4
const POISON_EVERY = 100
/** After a fault is over, this long nothing may be committed before the soak is given up. */
const RECOVERY_TIMEOUT_MS = 120_000
const DRAIN_TIMEOUT_MS = 300_000
const COUNT_TIMEOUT_MS = 900_000

const machineOf = (): string => {
  const [cpu] = cpus()
  return `${cpus().length} x ${cpu?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}`
}

const versionsOf = (): string => {
  const require = createRequire(import.meta.url)
  const { dependencies } = require('../../package.json') as { dependencies: Record<string, string> }
  const jar = readdirSync(artefactFolders(resolve('.driftline')).kafka).find((name) => /^kafka_[\d.]+-/.test(name))
  const kafka = jar?.replace(/^kafka_[\d.]+-|\.jar$/g, '') ?? 'unknown'
  const clients = ['kafkajs', '@platformatic/kafka'].map((name) => `${name} ${dependencies[name]}`)
  return [`Kafka ${kafka}`, `Node ${process.versions.node}`, ...clients].join(', ')
}

/** Everybody writes at once: the task's own schema, an older and a newer one, and now and then what nobody can read. */
const startMixedLoad = async (world: ScoringWorld, eventsPerSecond: number): Promise<Load> => {
  const [older, newer] = await Promise.all([world.foreignWriter('older'), world.foreignWriter('newer')])
  const writers = [world.encode, older, newer]
  const encode = (number: number): Uint8Array => writers[number % writers.length]!(number)
  return world.load(eventsPerSecond, { poisonEvery: POISON_EVERY, encode })
}

/**
 * Runs workers over a cluster of its own, puts one fault after another into everything around them, and counts in the
 * end what became of every event.
 * @param options.signal ends the faults early; what was done until then is counted all the same
 */
export const soak = async (
  options: SoakOptions & { readonly signal: AbortSignal; readonly tell: (line: string) => void },
): Promise<SoakResult> => {
  const { tell, signal } = options
  const servers = await startSoakServers()
  let world: ScoringWorld | undefined
  try {
    world = await createScoringWorld({
      servers: {
        brokers: servers.cluster.brokers,
        registryUrl: servers.registryLine.url,
        redisUrl: servers.redisLine.url,
        direct: { registryUrl: servers.registry.url, redisUrl: servers.redis.url },
      },
      client: options.client,
      partitions: PARTITIONS,
      replicationFactor: 3,
      models: 3,
      ...SESSION,
    })
    return await putFaultsInto(world, servers, options)
  } finally {
    tell('ending the servers')
    await world?.close()
    await servers.close()
    if (signal.aborted) tell('ended early')
  }
}

const putFaultsInto = async (
  world: ScoringWorld,
  servers: SoakServers,
  options: Parameters<typeof soak>[0],
): Promise<SoakResult> => {
  const { tell, signal, seed, only } = options
  const show = (worker: string, text: string): void => tell(`${worker}: ${text.trimEnd()}`)
  const crew = createWorkerCrew(world, options.workers, options.verbose ? show : undefined)
  await crew.complete()
  const load = await startMixedLoad(world, options.eventsPerSecond)
  const progress = watchProgress(() => servers.cluster.committedOffsets(world.group, world.topics.features.name))
  await progress.moves(RECOVERY_TIMEOUT_MS).catch((error: Error) => {
    const said = crew.ready().map(({ name, complaints }) => `${name}: ${complaints()}`)
    throw new Error(`the workers do not begin: ${error.message}\n${said.join('\n')}`, { cause: error })
  })

  const random = createRandom(seed, 'soak')
  const scene: Scene = { servers, world, crew, random, sessionTimeoutMs: SESSION.sessionTimeoutMs }
  const kinds = faultKinds(servers).filter(({ name }) => only.length === 0 || only.some((part) => name.includes(part)))
  if (kinds.length === 0) throw new Error(`no fault is named like ${only.join(', ')}`)
  const topics = [world.topics.features, world.topics.predictions, world.topics.deadLetters].map(({ name }) => name)
  const times = new Map(kinds.map(({ name }) => [name, 0]))
  const problems: string[] = []
  const started = performance.now()
  const seconds = (): number => (performance.now() - started) / 1000

  for (const { name, strike } of scheduleOf(kinds, random)) {
    if (signal.aborted || seconds() > options.minutes * 60) break
    tell(`${seconds().toFixed(0).padStart(5)} s, ${load.sent()} events sent: ${name}`)
    progress.blame(name)
    times.set(name, (times.get(name) ?? 0) + 1)
    try {
      await strike(scene)
      await progress.moves(RECOVERY_TIMEOUT_MS)
      await crew.complete()
      // The next fault finds a cluster that can bear it: one broker may fail at a time.
      await servers.cluster.whole([...topics, '__consumer_offsets', '__transaction_state'])
    } catch (error) {
      problems.push(`after "${name}": ${error instanceof Error ? error.message : String(error)}`)
      break
    }
    await later(500 + random.below(2500))
  }
  const faultSeconds = seconds()

  progress.blame('the end')
  tell('draining')
  let verdict: Verdict | null = null
  try {
    await load.stop()
    await world.drained(DRAIN_TIMEOUT_MS)
    tell('counting')
    verdict = await world.verdict({ timeoutMs: COUNT_TIMEOUT_MS })
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error))
  }
  await progress.stop()
  const pauses = progress.longestPauses()
  const facts = {
    options,
    machine: machineOf(),
    versions: versionsOf(),
    faultSeconds,
    faults: [...times].map(([name, often]) => ({ name, times: often, longestPauseMs: pauses.get(name) ?? 0 })),
    verdict,
    sent: load.sent(),
    uncertain: load.uncertain(),
    openTransactions: await servers.cluster.openTransactions(),
    workerStarts: crew.starts(),
    ownEnds: crew.ownEnds(),
    mostResidentBytes: crew.mostResidentBytes(),
    eldest: crew.eldest(),
  }
  crew.dismiss()
  return { ...facts, violations: [...problems, ...violationsOf(facts)] }
}
