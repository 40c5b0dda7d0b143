import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Config } from '../../config/config.ts'
import { ConfigInvalid } from '../../errors.ts'
import { classesOf } from '../../features/target-spec.ts'
import type { ModelArtefact } from '../../models/manifest.ts'
import { artefactFromForest } from '../../models/onnx/artefact-from-forest.ts'
import { importOnnx } from '../../models/onnx/import-onnx.ts'
import { OnnxRefused } from '../../models/onnx/onnx-refused.ts'
import { readTaskDataset } from '../dataset.ts'
import type { ImportOptions } from './import-model.ts'

/**
 * Reads a forest from an ONNX file as a model of the task. The task's dataset gives its golden rows and its reference.
 * @throws ConfigInvalid, OnnxRefused, DatasetInvalid
 */
export const importOnnxModel = async (
  config: Config,
  { path, name, columns, parent, reason }: ImportOptions,
): Promise<{ artefact: ModelArtefact; warnings: readonly string[] }> => {
  const { task } = config
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new ConfigInvalid(`cannot read ${path}: name an ONNX file, or a folder that "train --out" wrote`, { cause })
  })
  const classNames = classesOf(task.target)
  const imported = importOnnx(bytes, {
    task: {
      features: task.features.map((feature) => ({ name: feature.name, isCategory: feature.type === 'category' })),
      ...(columns === null ? {} : { columnOrder: columns }),
    },
    ...(classNames.length === 0 ? {} : { classNames }),
  })
  if (imported.kind !== task.target.type) {
    throw new OnnxRefused(`the file holds a ${imported.kind}, and task ${task.task} is a ${task.target.type}`)
  }
  const artefact = artefactFromForest({
    task: task.task,
    name: name ?? basename(path, '.onnx'),
    forest: imported.forest,
    parameters: { producer: imported.producer, sha256: hash('sha256', bytes) },
    dataset: await readTaskDataset(config),
    referenceRows: task.training.referenceRows,
    parent,
    reason,
  })
  return { artefact, warnings: imported.warnings }
}
