import { evaluate } from '../../src/models/evaluate.ts'
import { fittedModel, prepareRows } from '../../src/models/fit-candidate.ts'
import { createFitPool } from '../../src/training/fit-pool.ts'
import { enlargedIris } from './enlarged-iris.ts'
import { forestCandidate } from './forest-candidate.ts'
import { type ModelBench, median } from './model-bench.ts'

const RUNS = 5
const SEED = 42
const MIN_ACCURACY = 0.985
const MAX_SECONDS = 0.5

/** The forest of the requirements on the enlarged Iris set; the threads are started within the measured time. */
export const run: ModelBench = async () => {
  const { train, test } = enlargedIris()
  const seconds: number[] = []
  let accuracy = 0
  for (let index = 0; index < RUNS; index++) {
    const from = performance.now()
    const pool = createFitPool({ threads: 2 })
    try {
      const { rows } = prepareRows(forestCandidate, train)
      const arrays = await pool.fit({ candidate: forestCandidate, rows, seed: SEED })
      seconds.push((performance.now() - from) / 1000)
      const evaluation = evaluate(fittedModel(forestCandidate, train, arrays, null).scorer, test)
      accuracy = evaluation.kind === 'classification' ? evaluation.accuracy : Number.NaN
    } finally {
      await pool.close()
    }
  }
  const taken = median(seconds)
  return [
    {
      measure: 'enlarged Iris, 3,998 rows: test accuracy, training with cold threads',
      ours: `${(100 * accuracy).toFixed(2)} %, ${taken.toFixed(3)} s`,
      peer: '-',
      figure: `${(100 * accuracy).toFixed(2)} %, ${taken.toFixed(3)} s`,
      target: '>= 98.5 %, < 0.5 s',
      met: accuracy >= MIN_ACCURACY && taken < MAX_SECONDS,
    },
  ]
}
