import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type BenchLine, median } from '../models/model-bench.ts'
import type { StreamBench } from './stream-bench.ts'
import { PARTITIONS, type StreamWorld, type Worker } from './stream-world.ts'

const RATE = 1000
const SECONDS = 20
const ROUNDS = 3
const TARGET = { p50: 8, p99: 20 }

type Latency = { p50: number; p99: number; p999: number; max: number; sent: number; received: number }

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

const measure = async (world: StreamWorld, python: string, output: string, start: () => Worker): Promise<Latency> => {
  await world.renew(output)
  const worker = start()
  try {
    await worker.ready
    const { stdout } = await promisify(execFile)(
      python,
      [script('./latency_load.py'), ...[RATE, SECONDS, PARTITIONS].map(String)],
      {
        env: { ...world.env, PEER_INPUT: world.topics.features.name, PEER_OUTPUT: output },
        timeout: 120_000,
      },
    )
    const latency = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Latency
    if (latency.received < latency.sent) throw new Error(`${latency.sent - latency.received} events had no prediction`)
    return latency
  } finally {
    await worker.stop()
  }
}

/** From the moment an event is due to be sent to the moment its committed prediction is read, at a steady rate. */
export const run: StreamBench = async ({ peer, say, open }) => {
  const world = await open()
  try {
    const { topics } = world
    const peerTopic = 'bench.peer-output'
    const tuned = {
      PEER_GROUP: 'bench.latency-python',
      PEER_INPUT: topics.features.name,
      PEER_OUTPUT: peerTopic,
      PEER_SCHEMA_OF: topics.predictions.name,
      PEER_TRAIN: world.config.datasetFile,
      // For latency: nothing lingers, and a batch is what is there.
      PEER_LINGER_MS: '0',
      PEER_WAIT_S: '0.002',
    }
    const contestants = [
      { name: 'platformatic', output: topics.predictions.name, start: () => world.score('platformatic') },
      { name: 'kafkajs', output: topics.predictions.name, start: () => world.score('kafkajs') },
      {
        name: 'python',
        output: peerTopic,
        start: () => world.program(peer.python, [script('./peer_worker.py')], tuned),
      },
    ]
    const found = new Map<string, Latency[]>()
    // A broker compiles its code for a minute or two: the first round is for that, and counts for nobody.
    for (let round = 0; round <= ROUNDS; round++) {
      for (const { name, output, start } of contestants) {
        const latency = await measure(world, peer.python, output, start)
        say(`${round === 0 ? 'to warm up' : `round ${round}`}: ${name} ${JSON.stringify(latency)}`)
        if (round > 0) found.set(name, [...(found.get(name) ?? []), latency])
      }
    }
    const of = (name: string, quantile: 'p50' | 'p99' | 'p999'): number =>
      median(found.get(name)!.map((latency) => latency[quantile]))
    const line = (name: string, quantile: 'p50' | 'p99' | 'p999', most: number | null): BenchLine => ({
      measure: `latency of ${name} at ${RATE} events/s, ${quantile}`,
      ours: `${of(name, quantile).toFixed(1)} ms`,
      peer: `python ${of('python', quantile).toFixed(1)} ms`,
      figure: `${of(name, quantile).toFixed(1)} ms`,
      target: most === null ? 'stated' : `at most ${most} ms`,
      met: most === null || of(name, quantile) <= most,
    })
    return [
      line('platformatic', 'p50', TARGET.p50),
      line('platformatic', 'p99', TARGET.p99),
      line('platformatic', 'p999', null),
      line('kafkajs', 'p50', null),
      line('kafkajs', 'p99', null),
    ]
  } finally {
    await world.close()
  }
}
