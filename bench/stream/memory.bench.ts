import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StreamBench } from './stream-bench.ts'

const EVENTS = 10_000_000
const SLICE = 500_000
const MOST_MIB = 200
/** What a heap that is swept now and then may move by, between the third million and the last. */
const FLAT_MIB = 15

const residentMib = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024

const greatest = (samples: readonly { done: number; mib: number }[], from: number, to: number): number =>
  samples.reduce((most, { done, mib }) => (done >= from && done < to ? Math.max(most, mib) : most), 0)

/** Resident memory of one worker over ten million events, which are produced while it works. Linux only. */
export const run: StreamBench = async ({ say, open }) => {
  const world = await open()
  try {
    const topic = world.topics.features.name
    const group = `${world.config.task.task}.score`
    const worker = world.score('platformatic')
    const samples: { done: number; mib: number }[] = []
    let produced = 0
    try {
      await worker.ready
      const sample = async (): Promise<number> => {
        const lag = [...(await world.kafka.admin.consumerLag(group, topic)).values()]
        const done = produced - Number(lag.reduce((sum, records) => sum + records, 0n))
        samples.push({ done, mib: residentMib(worker.child.pid!) })
        return done
      }
      while (produced < EVENTS) {
        produced = await world.fill(SLICE)
        const done = await sample()
        say(`${produced} produced, ${done} scored, ${samples.at(-1)!.mib.toFixed(0)} MiB`)
      }
      while ((await sample()) < EVENTS) await sleep(200)
    } finally {
      await worker.stop()
    }
    const most = greatest(samples, 0, EVENTS + 1)
    const early = greatest(samples, EVENTS * 0.2, EVENTS * 0.5)
    const late = greatest(samples, EVENTS * 0.8, EVENTS + 1)
    return [
      {
        measure: 'resident memory of a worker over 10,000,000 events, most',
        ours: `${most.toFixed(0)} MiB`,
        peer: '-',
        figure: `${most.toFixed(0)} MiB`,
        target: `below ${MOST_MIB} MiB`,
        met: most < MOST_MIB,
      },
      {
        measure: 'the same, most of the last two million less most of the third to fifth',
        ours: `${(late - early).toFixed(0)} MiB`,
        peer: '-',
        figure: `${(late - early).toFixed(0)} MiB`,
        target: `at most ${FLAT_MIB} MiB`,
        met: late - early <= FLAT_MIB,
      },
    ]
  } finally {
    await world.close()
  }
}
