import { setTimeout as later } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { Random } from '../../src/features/random.ts'
import type { ClusterNode } from '../support/cluster/node.ts'
import { eventId } from '../support/scoring-world/oracle.ts'
import type { ScoringWorker } from '../support/scoring-world/scoring-worker.ts'
import type { ScoringWorld } from '../support/scoring-world/world.ts'
import { SMALL_DISK_BROKER, type SoakServers } from './soak-servers.ts'
import type { WorkerCrew } from './worker-crew.ts'

/** What a fault may be done to. */
export type Scene = {
  readonly servers: SoakServers
  readonly world: ScoringWorld
  readonly crew: WorkerCrew
  readonly random: Random
  readonly sessionTimeoutMs: number
}

/** Resolves when the fault is over and whatever it took away is back. */
export type FaultKind = { readonly name: string; readonly strike: (scene: Scene) => Promise<unknown> }

const HOUR_MS = 3_600_000
/** What a broker takes in one batch by default, with some room for what surrounds a value. */
const LARGEST_VALUE = 1_048_588 - 200

const oneOf = <T>(random: Random, from: readonly T[]): T => {
  const chosen = from[random.below(from.length)]
  if (chosen === undefined) throw new Error('there is nothing to choose from')
  return chosen
}

const anyWorker = ({ crew, random }: Scene): ScoringWorker => oneOf(random, crew.ready())
const anyNode = ({ servers, random }: Scene): ClusterNode => oneOf(random, servers.cluster.nodes)
const somePartition = ({ world, random }: Scene): number => random.below(world.partitions)

const killWorker = async ({ crew }: Scene, worker: ScoringWorker, signal: NodeJS.Signals): Promise<void> => {
  crew.expectEnd(worker)
  worker.child.kill(signal)
  const { code } = await worker.ended
  if (signal === 'SIGTERM' && code !== 0) throw new Error(`${worker.name} was told to stop and ended with ${code}`)
  await crew.complete()
}

const restartNode = async (node: ClusterNode, end: 'kill' | 'stop'): Promise<void> => {
  await node[end]()
  await node.start()
}

const idOf = (scene: Scene): string => {
  const { group, topics } = scene.world
  return `${group}-${topics.features.name}-${somePartition(scene)}`
}

const workerFaults: readonly FaultKind[] = [
  { name: 'a worker is killed', strike: (scene) => killWorker(scene, anyWorker(scene), 'SIGKILL') },
  { name: 'a worker is told to stop', strike: (scene) => killWorker(scene, anyWorker(scene), 'SIGTERM') },
  {
    name: 'all workers are killed at once',
    strike: (scene) => Promise.all(scene.crew.ready().map((worker) => killWorker(scene, worker, 'SIGKILL'))),
  },
  {
    name: 'a worker sleeps past its session',
    strike: async (scene) => {
      const worker = anyWorker(scene)
      worker.child.kill('SIGSTOP')
      await later(scene.sessionTimeoutMs + 2000)
      worker.child.kill('SIGCONT')
    },
  },
  {
    name: 'a worker more joins and leaves',
    strike: async ({ world, random }) => {
      const guest = world.startWorker()
      await guest.ready
      await later(random.below(3000))
      guest.child.kill(oneOf(random, ['SIGTERM', 'SIGKILL']))
      await guest.ended
    },
  },
  {
    name: 'the clock of a worker is set an hour forward or back',
    strike: async (scene) => {
      const worker = anyWorker(scene)
      // A broker takes no record that claims to come from more than an hour ahead.
      const by = oneOf(scene.random, [HOUR_MS - 60_000, -HOUR_MS])
      await worker.shiftClock(by)
      await later(scene.sessionTimeoutMs + 2000)
      await worker.shiftClock(-by)
    },
  },
]

const brokerFaults: readonly FaultKind[] = [
  { name: 'a broker is killed and restarted', strike: (scene) => restartNode(anyNode(scene), 'kill') },
  { name: 'a broker is stopped in order and restarted', strike: (scene) => restartNode(anyNode(scene), 'stop') },
  {
    name: 'a broker is cut off from everybody',
    strike: async (scene) => {
      const node = anyNode(scene)
      node.freeze()
      await later(6000)
      node.thaw()
    },
  },
  {
    name: 'clients cannot reach a broker',
    strike: async (scene) => {
      const { line } = anyNode(scene)
      line.cut()
      await later(1000 + scene.random.below(4000))
      line.heal()
    },
  },
  {
    name: 'the network to a broker loses everything',
    strike: async (scene) => {
      const { line } = anyNode(scene)
      line.stall()
      await later(1000 + scene.random.below(8000))
      line.heal()
    },
  },
  {
    name: 'a broker is slow',
    strike: async (scene) => {
      const { line } = anyNode(scene)
      line.slow({ delayMs: 50, bytesPerSecond: 300_000 })
      await later(4000)
      line.heal()
    },
  },
  {
    name: 'leaders move',
    strike: async (scene) => {
      const { features, predictions } = scene.world.topics
      await scene.servers.cluster.moveLeader(features.name, somePartition(scene))
      await scene.servers.cluster.moveLeader(predictions.name, somePartition(scene))
    },
  },
  {
    name: "the group's coordinator moves",
    strike: ({ servers, world }) => servers.cluster.moveCoordinator('group', world.group),
  },
  {
    name: "a transaction's coordinator moves",
    strike: (scene) => scene.servers.cluster.moveCoordinator('transaction', idOf(scene)),
  },
  {
    name: 'a worker is killed while a broker restarts',
    strike: (scene) =>
      Promise.all([restartNode(anyNode(scene), 'kill'), killWorker(scene, anyWorker(scene), 'SIGKILL')]),
  },
]

const diskFull: FaultKind = {
  name: 'the disk of a broker is full',
  strike: async ({ servers: { cluster } }) => {
    const node = cluster.node(SMALL_DISK_BROKER)
    await cluster.smallDisk?.fill()
    await node.ended()
    cluster.smallDisk?.makeRoom()
    await node.start()
  },
}

const serverFaults: readonly FaultKind[] = [
  {
    name: 'Redis is killed and restarted',
    strike: async ({ servers: { redis } }) => {
      await redis.kill()
      await later(2000)
      await redis.start()
    },
  },
  {
    name: 'Redis is emptied',
    strike: async ({ servers: { redis } }) => {
      const client = new Redis(redis.url)
      await client.flushall()
      await client.quit()
    },
  },
  {
    name: 'Redis cannot be reached',
    strike: async ({ servers: { redisLine }, random }) => {
      const how = oneOf(random, ['cut', 'stall'] as const)
      redisLine[how]()
      await later(3000)
      redisLine.heal()
    },
  },
  {
    name: 'the schema registry is killed and restarted',
    strike: async ({ servers: { registry } }) => {
      await registry.kill()
      await registry.start()
    },
  },
  {
    name: 'a worker starts while the schema registry cannot be reached',
    strike: async (scene) => {
      scene.servers.registryLine.cut()
      await killWorker(scene, anyWorker(scene), 'SIGTERM')
      scene.servers.registryLine.heal()
    },
  },
]

const modelFaults: readonly FaultKind[] = [
  {
    name: 'the model is swapped every second',
    strike: async ({ world, random }) => {
      for (let swap = 0; swap < 5; swap++) {
        await world.models.promote(oneOf(random, world.models.versions))
        await later(1000)
      }
    },
  },
  {
    name: 'records at the size limit',
    strike: async (scene) => {
      // Numbers that no load reaches.
      const number = 20_000_000 + scene.random.below(10_000_000)
      await scene.world.producer.send([
        {
          topic: scene.world.topics.features.name,
          partition: somePartition(scene),
          key: Buffer.from(eventId(number)),
          value: Buffer.alloc(LARGEST_VALUE, '{'),
        },
      ])
    },
  },
]

/** Everything that can be done to a scene. The disk can be filled only where it is small. */
export const faultKinds = ({ cluster }: SoakServers): readonly FaultKind[] => [
  ...workerFaults,
  ...brokerFaults,
  ...(cluster.smallDisk === null ? [] : [diskFull]),
  ...serverFaults,
  ...modelFaults,
]

/** The kinds in a random order, each once in a round, for ever: so that all of them come about equally often. */
export const scheduleOf = function* (kinds: readonly FaultKind[], random: Random): Generator<FaultKind> {
  for (;;) {
    const left = [...kinds]
    while (left.length > 0) yield left.splice(random.below(left.length), 1)[0]!
  }
}
