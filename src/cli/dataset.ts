import { readFile } from 'node:fs/promises'
import type { Config } from '../config/config.ts'
import { ConfigInvalid } from '../errors.ts'
import { type Dataset, DatasetInvalid } from '../features/dataset.ts'
import { readCsvDataset } from '../features/dataset-csv.ts'
import type { FeatureSpec } from '../features/feature-spec.ts'
import type { TargetSpec } from '../features/target-spec.ts'
import { otherDialect } from './csv-dialect.ts'

/**
 * Reads the task's dataset.
 * @param as features and target in another order than the task's, or with other categories
 * @throws ConfigInvalid when the file cannot be read, DatasetInvalid when its rows are wrong
 */
export const readTaskDataset = async (
  config: Config,
  as: { features: readonly FeatureSpec[]; target: TargetSpec } = config.task,
): Promise<Dataset> => {
  const { task, datasetFile } = config
  const bytes = await readFile(datasetFile).catch((cause: unknown) => {
    throw new ConfigInvalid(`cannot read the dataset ${datasetFile}, which ${config.taskFile} names`, { cause })
  })
  const fault = otherDialect(bytes)
  if (fault !== null) throw new DatasetInvalid(`${task.dataset.path} cannot be read: ${fault}`)
  return readCsvDataset(bytes.toString('utf8'), { label: task.dataset.path, features: as.features, target: as.target })
}
