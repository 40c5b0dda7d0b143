import { resolve } from 'node:path'
import { setTimeout as later } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readCommitted } from '../../dev/stack/console-consumer.ts'
import { createKafkaClient } from '../../src/kafka/create-client.ts'
import { type Cluster, createCluster } from '../support/cluster/cluster.ts'
import type { ClusterNode } from '../support/cluster/node.ts'
import { canMount } from '../support/cluster/small-disk.ts'
import { type Copy, copyThrough, type Strike } from '../support/copy-through.ts'
import { faultClient, faultClients } from '../support/fault-clients.ts'
import { uniqueName } from '../support/kafka.ts'
import { testLogger } from '../support/test-logger.ts'

const hasSmallDisk = canMount()
/** The broker whose disk is small. */
const SMALL = 3

let cluster: Cluster
beforeAll(async () => {
  cluster = await createCluster(hasSmallDisk ? { smallDisk: { id: SMALL, megabytes: 200 } } : {})
})
afterAll(() => cluster?.close())

const internal = ['__consumer_offsets', '__transaction_state']

/** All replicas are in sync again: so the next fault finds a cluster that can bear it. */
const whole = ({ input, output }: Copy) => cluster.whole([input, output, ...internal])

const idOf = ({ group, input }: Copy, partition: number): string => `${group}-${input}-${partition}`

const leaderOf = async (topic: string, partition: number): Promise<ClusterNode> => {
  const place = (await cluster.placesOf(topic)).find((candidate) => candidate.partition === partition)
  return cluster.node(place?.leader ?? -1)
}

const moveLeaders: Strike = async ({ input, output }) => {
  await cluster.moveLeader(input, 0)
  await cluster.moveLeader(output, 1)
}

const killAndRestart = async (node: ClusterNode): Promise<void> => {
  await node.kill()
  await node.start()
}

const copy = (client: (typeof faultClients)[number], strikes: readonly Strike[], count = 6000) =>
  copyThrough({
    brokers: cluster.brokers,
    client,
    replicationFactor: 3,
    count,
    strikes: strikes.map(
      (strike): Strike =>
        async (hit) => {
          await strike(hit)
          await whole(hit)
        },
    ),
  })

describe.each(faultClients)('the client %s copies exactly once', (client) => {
  test('over leaders and coordinators that move', async () => {
    await copy(client, [
      moveLeaders,
      ({ group }) => cluster.moveCoordinator('group', group),
      (hit) => cluster.moveCoordinator('transaction', idOf(hit, 0)),
      ({ output }) => cluster.moveLeader(output, 0),
      (hit) => cluster.moveCoordinator('transaction', idOf(hit, 1)),
    ])
    expect(await cluster.openTransactions()).toEqual([])
  })

  test('over the death of the broker that coordinates its transactions', async () => {
    await copy(client, [async (hit) => killAndRestart(await cluster.coordinatorOf('transaction', idOf(hit, 0)))])
    expect(await cluster.openTransactions()).toEqual([])
  })
})

describe.each(faultClients)('the producer of the client %s', (name) => {
  test('writes once what it confirms, while brokers die and leaders move', async () => {
    const client = await createKafkaClient(name, {
      brokers: cluster.brokers.split(','),
      clientId: 'producer',
      logger: testLogger(),
    })
    const topic = uniqueName('topic')
    const admin = await client.admin()
    await admin.ensureTopics([{ name: topic, partitions: 6, replicationFactor: 3 }])
    await admin.close()
    const producer = await client.producer()
    const confirmed: string[] = []
    let striking = true
    const sending = (async () => {
      for (let send = 0; striking; send++) {
        // Over all partitions, and so over all brokers.
        const keys = Array.from({ length: 60 }, (_, i) => `e${send * 60 + i}`)
        const records = keys.map((key, i) => ({ topic, partition: i % 6, key: Buffer.from(key), value: null }))
        await producer.send(records).then(
          () => confirmed.push(...keys),
          () => undefined,
        )
      }
    })()
    await cluster.whole([topic])
    for (const partition of [0, 1]) {
      await killAndRestart(await leaderOf(topic, partition))
      await cluster.whole([topic, ...internal])
      await cluster.moveLeader(topic, partition)
    }
    striking = false
    await sending
    await producer.close()

    const written = new Map<string | null, number>()
    await readCommitted({
      brokers: cluster.brokers,
      topic,
      home: resolve('.driftline'),
      onRecord: ({ key }) => written.set(key, (written.get(key) ?? 0) + 1),
    })
    // Five sends and more, on a machine however busy.
    expect(confirmed.length).toBeGreaterThanOrEqual(300)
    expect(confirmed.filter((key) => !written.has(key))).toEqual([])
    expect([...written].filter(([, times]) => times > 1)).toEqual([])
  })
})

describe(`the client ${faultClient} copies exactly once`, () => {
  test('over a broker that is cut off from everybody until others took its place, and comes back', async () => {
    await copy(faultClient, [
      async ({ input }) => {
        const leader = await leaderOf(input, 0)
        leader.freeze()
        await later(6000)
        leader.thaw()
      },
    ])
  })

  test('over a broker that clients cannot reach, and that is slow when they can', async () => {
    const slow: Strike = async ({ output }) => {
      const { line } = await leaderOf(output, 0)
      line.slow({ delayMs: 30, bytesPerSecond: 200_000 })
      await later(3000)
      line.heal()
    }
    const unreachable: Strike = async ({ output }) => {
      const { line } = await leaderOf(output, 1)
      line.cut()
      await later(3000)
      line.heal()
    }
    await copy(faultClient, [slow, unreachable])
  })

  test.skipIf(!hasSmallDisk)('over a broker whose disk is full, until there is room again', async () => {
    const node = cluster.node(SMALL)
    await copy(faultClient, [
      async () => {
        await cluster.smallDisk?.fill()
        await node.ended()
        expect(node.isRunning()).toBe(false)
        cluster.smallDisk?.makeRoom()
        await node.start()
      },
    ])
  })
})
