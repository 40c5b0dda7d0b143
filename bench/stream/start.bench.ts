import { median } from '../models/model-bench.ts'
import { measureDrain } from './drain.ts'
import type { StreamBench } from './stream-bench.ts'

const EVENTS = 20_000
const ROUNDS = 7
const MOST_MS = 1500

/** From the start of the process to its first committed predictions, the servers being up and events waiting. */
export const run: StreamBench = async ({ say, open }) => {
  const world = await open()
  try {
    const events = await world.fill(EVENTS)
    const group = `${world.config.task.task}.score`
    const found: number[] = []
    for (let round = 1; round <= ROUNDS; round++) {
      const { firstCommitMs } = await measureDrain(world, {
        ...{ group, events },
        start: () => world.score('platformatic'),
      })
      say(`round ${round}: first commit after ${Math.round(firstCommitMs)} ms`)
      found.push(firstCommitMs)
    }
    const ms = median(found)
    return [
      {
        measure: 'start of a worker to its first committed prediction, joining included',
        ours: `${Math.round(ms)} ms`,
        peer: '-',
        figure: `${Math.round(ms)} ms`,
        target: `at most ${MOST_MS} ms and the join`,
        met: ms <= MOST_MS,
      },
    ]
  } finally {
    await world.close()
  }
}
