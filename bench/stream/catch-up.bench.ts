import type { BenchLine } from '../models/model-bench.ts'
import { measureDrain } from './drain.ts'
import type { StreamBench } from './stream-bench.ts'

const EVENTS = 1_000_000
const STAGES = ['fetch', 'decode', 'score', 'encode', 'commit'] as const

/** Seconds by stage over all workers, out of one page of metrics. */
const stageSeconds = (page: string): Map<string, number> => {
  const seconds = new Map<string, number>()
  for (const [, labels = '', value = '0'] of page.matchAll(/^driftline_stage_seconds_sum\{(.*)\} (\S+)$/gm)) {
    const stage = /stage="(\w+)"/.exec(labels)?.[1] ?? ''
    seconds.set(stage, (seconds.get(stage) ?? 0) + Number(value))
  }
  return seconds
}

/** How long a million waiting events take, with one worker and with several, and where the time goes. */
export const run: StreamBench = async ({ say, open }) => {
  const world = await open()
  try {
    say(`producing ${EVENTS.toLocaleString('en')} events`)
    const events = await world.fill(EVENTS)
    const group = `${world.config.task.task}.score`
    const lines: BenchLine[] = []
    for (const workers of [1, 2, 4]) {
      await world.renew(world.topics.predictions.name)
      let url = ''
      let page = ''
      const drain = await measureDrain(world, {
        ...{ group, events },
        start: () => {
          const worker = world.score('platformatic', workers)
          worker.ready.then(
            (line) => {
              url = /https?:\S+/.exec(line)?.[0] ?? ''
            },
            () => undefined,
          )
          return worker
        },
        onDone: async () => {
          page = await (await fetch(`${url}/metrics`)).text()
        },
      })
      const spent = stageSeconds(page)
      const parts = STAGES.map((stage) => `${stage} ${(spent.get(stage) ?? 0).toFixed(2)}`).join(', ')
      say(`${workers} workers: ${JSON.stringify(drain)}, seconds by stage: ${parts}`)
      lines.push({
        measure: `catching up on ${EVENTS.toLocaleString('en')} events, ${workers} worker${workers > 1 ? 's' : ''}`,
        ours: `${(drain.totalMs / 1000).toFixed(1)} s from the start`,
        peer: '-',
        figure: `${Math.round(drain.eventsPerSecond).toLocaleString('en')}/s; s by stage: ${parts}`,
        target: 'stated',
        met: true,
      })
    }
    return lines
  } finally {
    await world.close()
  }
}
