import { randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { prepareNativePrograms } from '../../../dev/stack/native-servers.ts'
import { choosePort } from '../../../dev/stack/ports.ts'
import { runCommand } from '../../../dev/stack/run-command.ts'
import { kafkaFormatCommand, kafkaPropertiesFile } from '../../../dev/stack/server-commands.ts'
import { eventually } from '../eventually.ts'
import { createTcpProxy } from '../tcp-proxy.ts'
import {
  committedOffsets,
  coordinatorPartition,
  electPreferredLeader,
  findCoordinator,
  openTransactions,
  type PartitionPlace,
  placesOf,
  readMetadata,
  reorderReplicas,
} from './cluster-admin.ts'
import { clusterProperties, type NodePorts } from './cluster-properties.ts'
import { type ClusterNode, createNode } from './node.ts'
import { createSmallDisk, type SmallDisk } from './small-disk.ts'

/** Brokers that a test may kill, freeze, cut off and slow, each behind a line of its own. */
export type Cluster = {
  readonly nodes: readonly ClusterNode[]
  /** The disk of the broker that was to have a small one. */
  readonly smallDisk: SmallDisk | null
  /** KAFKA_BROKERS of it. */
  readonly brokers: string
  readonly node: (id: number) => ClusterNode
  readonly placesOf: (topic: string) => Promise<PartitionPlace[]>
  /** The broker that coordinates a group, or a transactional id. */
  readonly coordinatorOf: (what: 'group' | 'transaction', id: string) => Promise<ClusterNode>
  /** Makes another broker lead a partition; returns the new leader. */
  readonly moveLeader: (topic: string, partition: number) => Promise<ClusterNode>
  /** Makes another broker the coordinator of a group, or of a transactional id. */
  readonly moveCoordinator: (what: 'group' | 'transaction', id: string) => Promise<ClusterNode>
  /** A group's committed offsets of a topic by partition, whatever happens to the lines; -1 where there is none. */
  readonly committedOffsets: (group: string, topic: string) => Promise<ReadonlyMap<number, bigint>>
  /** Ids and states of the transactions that are not over, on all brokers. */
  readonly openTransactions: () => Promise<string[]>
  /** Resolves when all brokers run and every replica of these topics, and of the coordinators', is in sync. */
  readonly whole: (topics: readonly string[], options?: { timeoutMs?: number }) => Promise<void>
  readonly close: () => Promise<void>
}

const INTERNAL_TOPICS = { group: '__consumer_offsets', transaction: '__transaction_state' } as const

/** A key's id in the form that Kafka writes; never beginning with a dash, which tools take for an option. */
const kafkaId = (): string => {
  const id = randomBytes(16)
  id[0] = id[0]! & 0x7f
  return id.toString('base64url')
}

/** Formats the first folder with Kafka's own tool and gives the others the same under their own identity. */
const formatFolders = async (java: string, jars: string, folders: readonly string[]): Promise<void> => {
  const [first = ''] = folders
  const command = kafkaFormatCommand(java, jars, first, kafkaId())
  const result = await runCommand(command.command, command.args, { env: process.env, cwd: first, timeoutMs: 60_000 })
  if (result?.code !== 0) throw new Error(`the cluster could not be formatted: ${result?.output}`)
  const meta = readFileSync(join(first, 'log', 'meta.properties'), 'utf8')
  folders.slice(1).forEach((folder, index) => {
    cpSync(join(first, 'log'), join(folder, 'log'), { recursive: true })
    const own = meta
      .replace(/^node\.id=.*$/m, `node.id=${index + 2}`)
      .replace(/^directory\.id=.*$/m, `directory.id=${kafkaId()}`)
    writeFileSync(join(folder, 'log', 'meta.properties'), own)
  })
}

const choosePorts = async (count: number): Promise<number[]> => {
  const chosen = new Set<number>()
  while (chosen.size < count) chosen.add(await choosePort({ avoid: chosen }))
  return [...chosen]
}

/**
 * Starts a cluster with its data in a folder of its own.
 * @param options.smallDisk the broker whose folder is a file system of its own, which a test may fill
 */
export const createCluster = async (
  options: { readonly brokers?: number; readonly smallDisk?: { readonly id: number; readonly megabytes: number } } = {},
): Promise<Cluster> => {
  const { brokers: count = 3 } = options
  const root = mkdtempSync(join(tmpdir(), 'driftline-cluster-'))
  const home = resolve('.driftline')
  const programs = await prepareNativePrograms({
    home,
    wanted: ['kafka'],
    env: process.env,
    onProgress: () => undefined,
  })
  const jars = programs.artefacts.kafka
  const ids = Array.from({ length: count }, (_, index) => index + 1)
  const ports = await choosePorts(count * 3)
  const lines = await Promise.all(ids.map((_, index) => createTcpProxy({ host: '127.0.0.1', port: ports[index * 3]! })))
  const nodePorts = ids.map((id, index): NodePorts => {
    const [clients = 0, brokers = 0, controller = 0] = ports.slice(index * 3)
    return { id, advertised: lines[index]!.port, clients, brokers, controller }
  })
  let smallDisk: SmallDisk | null = null
  const folders = ids.map((id) => {
    const folder = join(root, `broker-${id}`)
    mkdirSync(folder)
    if (id === options.smallDisk?.id) smallDisk = createSmallDisk(folder, options.smallDisk.megabytes)
    writeFileSync(join(folder, kafkaPropertiesFile), clusterProperties(nodePorts[id - 1]!, nodePorts))
    return folder
  })
  const nodes = ids.map((id, index) =>
    createNode({
      ...{ id, java: programs.java, jars, folder: folders[index]! },
      ...{ port: nodePorts[index]!.clients, line: lines[index]! },
    }),
  )
  const close = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.kill()))
    await Promise.all(lines.map((line) => line.close()))
    smallDisk?.remove()
    rmSync(root, { recursive: true, force: true })
  }

  const node = (id: number): ClusterNode => {
    const found = nodes.find((candidate) => candidate.id === id)
    if (found === undefined) throw new Error(`the cluster has no broker ${id}`)
    return found
  }

  /** Asks brokers that run, one after another, until one answers. */
  const ask = async <T>(question: (address: string) => Promise<T>): Promise<T> => {
    let failure: unknown = new Error('no broker of the cluster runs')
    for (const { directAddress } of nodes.filter((candidate) => candidate.isRunning())) {
      try {
        return await question(directAddress)
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }

  const places = (topic: string) => ask((address) => placesOf(address, topic))

  const partitionOfCoordinator = async (what: 'group' | 'transaction', id: string): Promise<[string, number]> => {
    const topic = INTERNAL_TOPICS[what]
    return [topic, coordinatorPartition(id, (await places(topic)).length)]
  }

  const placeOf = async (topic: string, partition: number): Promise<PartitionPlace> => {
    const place = (await places(topic)).find((candidate) => candidate.partition === partition)
    if (place === undefined) throw new Error(`${topic}-${partition} does not exist`)
    return place
  }

  const moveLeader = async (topic: string, partition: number): Promise<ClusterNode> => {
    const { leader, replicas, inSync } = await placeOf(topic, partition)
    const next = replicas.find((id) => id !== leader && inSync.includes(id))
    if (next === undefined) throw new Error(`no other replica of ${topic}-${partition} is in sync`)
    await ask((address) => reorderReplicas(address, topic, partition, [next, ...replicas.filter((id) => id !== next)]))
    await eventually(
      async () => {
        await ask((address) => electPreferredLeader(address, topic, partition))
        const place = await placeOf(topic, partition)
        if (place.leader !== next) throw new Error(`${topic}-${partition} is still led by ${place.leader}`)
      },
      { timeoutMs: 20_000, everyMs: 100 },
    )
    return node(next)
  }

  const whole: Cluster['whole'] = async (topics, { timeoutMs = 60_000 } = {}) =>
    eventually(
      async () => {
        const { brokers: known } = await ask((address) => readMetadata(address, []))
        if (known.length < count) throw new Error(`${known.length} of ${count} brokers are in the cluster`)
        for (const topic of topics) {
          for (const { partition, leader, replicas, inSync } of await places(topic)) {
            if (leader < 0 || inSync.length < replicas.length) {
              throw new Error(`${topic}-${partition} has ${inSync.length} of ${replicas.length} replicas in sync`)
            }
          }
        }
      },
      { timeoutMs, everyMs: 200 },
    )

  try {
    await formatFolders(programs.java, jars, folders)
    await Promise.all(nodes.map((candidate) => candidate.start()))
    await whole([])
  } catch (error) {
    await close()
    throw error
  }

  const coordinatorOf: Cluster['coordinatorOf'] = async (what, id) =>
    node(await ask((address) => findCoordinator(address, what, id)))

  const moveCoordinator: Cluster['moveCoordinator'] = async (what, id) => {
    const place = await partitionOfCoordinator(what, id)
    await moveLeader(...place)
    // Leaders may have moved on by themselves, on a machine that is too busy for their sessions.
    return eventually(
      async () => {
        const [found, { leader }] = [await coordinatorOf(what, id), await placeOf(...place)]
        if (found.id !== leader) throw new Error(`${id} is coordinated by ${found.id}, and ${place} led by ${leader}`)
        return found
      },
      { timeoutMs: 20_000, everyMs: 100 },
    )
  }

  return {
    nodes,
    smallDisk,
    brokers: nodes.map(({ address }) => address).join(','),
    node,
    placesOf: places,
    coordinatorOf,
    committedOffsets: async (group, topic) => {
      const [coordinator, { length }] = await Promise.all([coordinatorOf('group', group), places(topic)])
      return committedOffsets(coordinator.directAddress, group, topic, length)
    },
    moveLeader,
    moveCoordinator,
    openTransactions: async () =>
      (
        await Promise.all(
          nodes.filter((each) => each.isRunning()).map(({ directAddress }) => openTransactions(directAddress)),
        )
      ).flat(),
    whole,
    close,
  }
}
