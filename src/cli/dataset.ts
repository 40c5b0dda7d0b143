import { readFile } from 'node:fs/promises'
import type { Config } from '../config/config.ts'
import { ConfigInvalid } from '../errors.ts'
import type { Dataset } from '../features/dataset.ts'
import { readCsvDataset } from '../features/dataset-csv.ts'
import type { FeatureSpec } from '../features/feature-spec.ts'
import type { TargetSpec } from '../features/target-spec.ts'

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
  const csv = await readFile(datasetFile, 'utf8').catch((cause: unknown) => {
    throw new ConfigInvalid(`cannot read the dataset ${datasetFile}, which ${config.taskFile} names`, { cause })
  })
  return readCsvDataset(csv, { label: task.dataset.path, features: as.features, target: as.target })
}
