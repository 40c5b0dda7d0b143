import { fileURLToPath } from 'node:url'
import { median } from '../models/model-bench.ts'
import { type Drain, measureDrain } from './drain.ts'
import type { StreamBench } from './stream-bench.ts'
import type { StreamWorld, Worker } from './stream-world.ts'

const EVENTS = 600_000
/** Quix scores some hundreds a second: it is not waited for to the end. */
const QUIX_EVENTS = 3000
const ROUNDS = 5

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const perSecond = (value: number): string => `${Math.round(value).toLocaleString('en')}/s`
const ratio = (value: number): string => `${value.toFixed(2)}x`

type Runner = { readonly name: string; readonly group: string; readonly output: string; readonly start: () => Worker }

const runnersOf = (world: StreamWorld, python: string) => {
  const { topics, kafka, config } = world
  const peerTopic = 'bench.peer-output'
  const peer = (group: string): Record<string, string> => ({
    PEER_GROUP: group,
    PEER_INPUT: topics.features.name,
    PEER_OUTPUT: peerTopic,
    PEER_SCHEMA_OF: topics.predictions.name,
    PEER_SCHEMA_ID: String(kafka.codecs.predictions.schemaId),
    PEER_TRAIN: config.datasetFile,
  })
  const program = (name: string, executable: string, file: string, more: Record<string, string> = {}): Runner => {
    const group = `bench.${name}`
    return {
      ...{ name, group, output: peerTopic },
      start: () => world.program(executable, [script(file)], { ...peer(group), ...more }),
    }
  }
  const score = (client: string): Runner => ({
    ...{ name: `score ${client}`, group: `${config.task.task}.score`, output: topics.predictions.name },
    start: () => world.score(client),
  })
  const node = process.execPath
  return {
    platformatic: score('platformatic'),
    kafkajs: score('kafkajs'),
    copyPlatformatic: program('copy-platformatic', node, './pass-through-platformatic.ts'),
    copyKafkajs: program('copy-kafkajs', node, './pass-through-kafkajs.ts'),
    copyDriftline: program('copy-driftline', node, './pass-through-driftline.ts', {
      DRIFTLINE_KAFKA_CLIENT: 'platformatic',
    }),
    python: program('python', python, './peer_worker.py'),
    quix: program('quix', python, './peer_quix.py'),
  }
}

/** Rounds of all runners in turn, on the same topic and broker, each with an empty output topic. */
const measureAll = async (
  world: StreamWorld,
  runners: readonly Runner[],
  options: { rounds: number; events: number; enough?: number; say: (progress: string) => void },
): Promise<Map<Runner, Drain[]>> => {
  const drains = new Map<Runner, Drain[]>(runners.map((runner) => [runner, []]))
  for (let round = 1; round <= options.rounds; round++) {
    for (const runner of runners) {
      await world.renew(runner.output)
      const drain = await measureDrain(world, { ...options, start: runner.start, group: runner.group })
      drains.get(runner)!.push(drain)
      options.say(`round ${round}: ${runner.name} ${perSecond(drain.eventsPerSecond)}`)
    }
  }
  return drains
}

/** Kafka to Kafka, exactly once, Avro in and out, a forest of 100 trees: seen from outside by committed offsets. */
export const run: StreamBench = async ({ peer, say, open }) => {
  const world = await open()
  try {
    const runners = runnersOf(world, peer.python)
    say(`producing ${EVENTS.toLocaleString('en')} events`)
    const events = await world.fill(EVENTS)
    const { quix, ...rest } = runners
    const drains = await measureAll(world, Object.values(rest), { rounds: ROUNDS, events, say })
    const slow = await measureAll(world, [quix], { rounds: 1, events, enough: QUIX_EVENTS, say })
    const rateOf = (runner: Runner): number =>
      median((drains.get(runner) ?? slow.get(runner) ?? []).map((drain) => drain.eventsPerSecond))

    const ours = rateOf(runners.platformatic)
    const kafkajs = rateOf(runners.kafkajs)
    const against = (measure: string, mine: number, theirs: Runner, least: number | null) => {
      const rate = rateOf(theirs)
      return {
        measure,
        ours: perSecond(mine),
        peer: `${theirs.name} ${perSecond(rate)}`,
        figure: ratio(mine / rate),
        target: least === null ? 'stated' : `at least ${least}x`,
        met: least === null || mine / rate >= least,
      }
    }
    return [
      against('exactly-once scoring, against a tuned Python worker', ours, runners.python, 2.5),
      against("the same, against its library's pass-through", ours, runners.copyPlatformatic, 0.9),
      against('the same, against our own pass-through', ours, runners.copyDriftline, null),
      against('on kafkajs, against a tuned Python worker', kafkajs, runners.python, null),
      against("on kafkajs, against its library's pass-through", kafkajs, runners.copyKafkajs, 0.9),
      against('exactly-once scoring, against Quix Streams', ours, runners.quix, 2.5),
    ]
  } finally {
    await world.close()
  }
}
