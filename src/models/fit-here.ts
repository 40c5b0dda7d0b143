import { createEstimator } from './families.ts'
import type { FitRunner } from './fit-task.ts'

/** Fits in this thread, which does nothing else meanwhile; it cannot be interrupted. For small rows and tests. */
export const fitHere: FitRunner = async ({ candidate, rows, seed }, { onBegin } = {}) => {
  onBegin?.()
  return createEstimator(candidate).fit(rows, seed)
}
