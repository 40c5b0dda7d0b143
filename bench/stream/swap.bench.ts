import { setTimeout as sleep } from 'node:timers/promises'
import { AssignerProtocol, Kafka, logLevel } from 'kafkajs'
import { openRegistry } from '../../src/cli/roles/registry-parts.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import type { StreamBench } from './stream-bench.ts'
import type { StreamWorld } from './stream-world.ts'

const SWAPS = 40
const EVERY_MS = 700
const WORKERS = 2
/** A swap belongs to this much time after the promotion. */
const WINDOW_MS = 300
const TARGET = { swapMs: 100, pauseMs: 20 }

type Scored = { readonly at: number; readonly version: string }

const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))] ?? Number.NaN

/** The partitions of each member of a group. */
const membersOf = async (world: StreamWorld, group: string): Promise<number[][]> => {
  const kafka = new Kafka({ brokers: [...world.config.servers.kafkaBrokers], logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  try {
    const { groups } = await admin.describeGroups([group])
    return (groups[0]?.members ?? []).map(
      ({ memberAssignment }) =>
        AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment[world.topics.features.name] ?? [],
    )
  } finally {
    await admin.disconnect()
  }
}

/** Batches by partition, in order: when each was scored and by which version. */
const batchesOf = async (world: StreamWorld): Promise<Map<number, Scored[]>> => {
  const { admin, client, codecs, topics } = world.kafka
  const batches = new Map<number, Scored[]>()
  await client.readRanges({
    topic: topics.predictions.name,
    ranges: await admin.offsetRanges(topics.predictions.name),
    process: ({ partition, length, bytes, valueStarts, valueEnds }) => {
      const known = batches.get(partition) ?? []
      batches.set(partition, known)
      for (let i = 0; i < length; i++) {
        const decoded = codecs.predictions.decode(bytes.subarray(valueStarts[i]!, valueEnds[i]!))
        if (!decoded.ok) throw new Error(decoded.message)
        const { scored_at: at, model_version: version } = decoded.value
        const last = known.at(-1)
        if (last?.at !== at || last.version !== version) known.push({ at, version })
      }
    },
  })
  return batches
}

/** Greatest distance between neighbours that begin in [from, to). */
const longestGap = (times: readonly number[], from: number, to: number): number => {
  let longest = 0
  for (let i = 1; i < times.length; i++) {
    if (times[i - 1]! >= from && times[i - 1]! < to) longest = Math.max(longest, times[i]! - times[i - 1]!)
  }
  return longest
}

/** Models are swapped again and again while two workers go through a backlog as fast as they can. */
export const run: StreamBench = async ({ say, open }) => {
  const world = await open()
  const { config, topics } = world
  const parts = openRegistry(config, createLogger({ name: 'bench', level: 'error', instanceId: 'bench' }))
  try {
    // Three in turn: a worker keeps the model before, and would take it back without loading it.
    await world.command('train', '--force')
    await world.command('train', '--force')
    const versions = ['1', '2', '3']
    const group = `${config.task.task}.score`
    const worker = world.score('platformatic', WORKERS)
    const promotions: { at: number; version: string }[] = []
    let members: number[][] = []
    let swapping = true
    try {
      await worker.ready
      const load = (async () => {
        while (swapping) await world.fill(100_000)
      })()
      await sleep(3000)
      for (let swap = 1; swap <= SWAPS; swap++) {
        const version = versions[swap % versions.length]!
        promotions.push({ at: Date.now(), version })
        await parts.registry.promote({ alias: 'production', version, actor: 'bench', reason: 'bench' })
        await sleep(EVERY_MS)
      }
      swapping = false
      await load
      members = await membersOf(world, group)
      while ([...(await world.kafka.admin.consumerLag(group, topics.features.name)).values()].some((lag) => lag > 0n)) {
        await sleep(100)
      }
    } finally {
      swapping = false
      await worker.stop()
    }
    const batches = await batchesOf(world)
    const total = [...batches.values()].reduce((sum, list) => sum + list.length, 0)
    say(`${total} batches; members have ${JSON.stringify(members)}`)
    const delays: number[] = []
    const pauses: number[] = []
    const calm: number[] = []
    for (const partitions of members) {
      const scored = partitions.flatMap((p) => batches.get(p) ?? []).toSorted((a, b) => a.at - b.at)
      const times = scored.map(({ at }) => at)
      for (const { at, version } of promotions) {
        const first = scored.find((batch) => batch.at >= at && batch.version === version)
        if (first === undefined) throw new Error(`no prediction by version ${version} after its promotion`)
        delays.push(first.at - at)
        pauses.push(longestGap(times, at, at + WINDOW_MS))
        calm.push(longestGap(times, at + WINDOW_MS, at + 2 * WINDOW_MS))
      }
    }
    const ms = (value: number): string => `${value.toFixed(0)} ms`
    return [
      {
        measure: `hot swap under full load, ${SWAPS} swaps, ${WORKERS} workers: promotion to first prediction, p99`,
        ours: `p50 ${ms(quantile(delays, 0.5))}, p99 ${ms(quantile(delays, 0.99))}`,
        peer: '-',
        figure: ms(quantile(delays, 0.99)),
        target: `at most ${TARGET.swapMs} ms`,
        met: quantile(delays, 0.99) <= TARGET.swapMs,
      },
      {
        measure: 'the longest pause of scoring around a swap, median and p99, beside as long a time without',
        ours: `p50 ${ms(quantile(pauses, 0.5))}, p99 ${ms(quantile(pauses, 0.99))}`,
        peer: `without: p50 ${ms(quantile(calm, 0.5))}, p99 ${ms(quantile(calm, 0.99))}`,
        figure: ms(quantile(pauses, 0.99)),
        target: `at most ${TARGET.pauseMs} ms, or no more than without`,
        met: quantile(pauses, 0.99) <= Math.max(TARGET.pauseMs, quantile(calm, 0.99)),
      },
    ]
  } finally {
    await parts.signal.close()
    await world.close()
  }
}
