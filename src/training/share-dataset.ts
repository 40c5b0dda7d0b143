import type { Dataset } from '../features/dataset.ts'
import { shareArray } from './share-rows.ts'

/** The same dataset in memory that threads share: sending it to one copies nothing. */
export const shareDataset = async (dataset: Dataset): Promise<Dataset> => {
  const features = await shareArray(dataset.features)
  return dataset.kind === 'classification'
    ? { ...dataset, features, labels: await shareArray(dataset.labels) }
    : { ...dataset, features, targets: await shareArray(dataset.targets) }
}
