import type { Dataset } from '../../features/dataset.ts'
import { readTable } from '../read-table.ts'
import { type AdHocTask, datasetOf, inferTask } from './ad-hoc-task.ts'

export type AdHocRows = {
  readonly task: AdHocTask
  readonly base: Dataset
  /** Rows of a file of their own to test with, or null. */
  readonly holdout: Dataset | null
}

export type AdHocSource = {
  readonly data: string
  readonly target: string
  readonly holdout?: string
  readonly ignore: readonly string[]
  readonly kind?: 'classification' | 'regression'
}

/** Reads CSV files that have no configuration. @throws ConfigInvalid, DatasetInvalid */
export const readAdHocRows = async (source: AdHocSource): Promise<AdHocRows> => {
  const { data, target, holdout, ignore, kind } = source
  const table = await readTable(data)
  const task = inferTask(table, { label: data, target, ignore, ...(kind === undefined ? {} : { kind }) })
  const base = datasetOf(table, task, { label: data, isTraining: true })
  if (holdout === undefined) return { task, base, holdout: null }
  return { task, base, holdout: datasetOf(await readTable(holdout), task, { label: holdout, isTraining: false }) }
}
