import { classNamesOf, type Dataset } from '../../features/dataset.ts'
import { encodedColumns } from '../../features/encoder.ts'
import type { Candidate } from '../candidate.ts'
import { createEstimator, enginesPastLimit, familyInput } from '../families.ts'
import { estimateFitMiB } from './fit-memory.ts'
import type { SelectionPlan } from './tournament-types.ts'

/** Why a candidate cannot be trained on these rows, from their sizes alone; null where it can. */
export const reasonToSkip = (
  candidate: Candidate,
  training: Dataset,
  { memoryLimitMb }: Pick<SelectionPlan, 'memoryLimitMb'>,
): string | null => {
  const { engine, family } = candidate
  const { maxRows, kinds } = createEstimator(candidate)
  if (!kinds.includes(training.kind)) return `${engine} cannot train a ${training.kind}`
  if (training.rows > maxRows) {
    const instead = enginesPastLimit(engine, training.kind, training.rows)
    const remedy = instead.length === 0 ? '' : `; use the engine ${instead.join(' or ')}`
    return `${engine} is used for up to ${maxRows} training rows, and there are ${training.rows}${remedy}`
  }
  if (memoryLimitMb === undefined) return null
  const columns =
    familyInput[family] === 'raw'
      ? training.featureNames.length
      : encodedColumns(training.categories.map(({ length }) => length))
  const needed = estimateFitMiB(candidate, training.rows, columns, Math.max(1, classNamesOf(training).length))
  return needed <= memoryLimitMb
    ? null
    : `${engine} would take about ${Math.ceil(needed)} MiB for ${training.rows} rows, and may take ${memoryLimitMb}`
}
