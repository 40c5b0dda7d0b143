import type { Config } from '../../config/config.ts'
import { AppError } from '../../errors.ts'
import { DatasetInvalid } from '../../features/dataset.ts'
import { evaluate } from '../../models/evaluate.ts'
import { loadScorer } from '../../models/load-scorer.ts'
import type { Evaluation, ModelArtefact, ModelManifest, RunRecord } from '../../models/manifest.ts'
import { inModelOrder } from '../../models/predict.ts'
import { verifyGolden } from '../../models/verify-golden.ts'
import { readTaskDataset } from '../dataset.ts'
import { readModelFolder } from '../model-folder.ts'
import { fitsTask } from '../roles/registry-parts.ts'
import { softwareVersions } from '../software.ts'
import { importOnnxModel } from './import-onnx-model.ts'

export type ImportOptions = {
  /** An ONNX file, or a folder that `train --out` wrote. */
  readonly path: string
  /** What the model is called; null for its own name, or that of the file. */
  readonly name: string | null
  /** For an ONNX file: the feature that each of its columns is; null where the file says so, or has the task's order. */
  readonly columns: readonly string[] | null
  readonly actor: string
  readonly reason: string
  /** The version in production, or null. */
  readonly parent: string | null
}

export type ImportedModel = {
  readonly artefact: ModelArtefact
  readonly run: RunRecord
  /** How it does on all rows of the task's dataset; null where the model cannot read them. */
  readonly onDataset: Evaluation | null
  /** What the one who imports should know, in sentences. */
  readonly warnings: readonly string[]
}

type Read = { artefact: ModelArtefact; warnings: readonly string[]; record: Partial<RunRecord> }

const readFolder = async (config: Config, { path, name, parent, reason }: ImportOptions): Promise<Read> => {
  const { artefact, run } = await readModelFolder(path)
  const { manifest, binary } = artefact
  const renamed = { ...manifest, task: config.task.task, name: name ?? manifest.name, parent, reason }
  return { artefact: { manifest: renamed, binary }, warnings: [], record: run ?? {} }
}

/** How the model does on the rows of the task, in its own order of features and classes. */
const evaluateOnDataset = async (
  config: Config,
  { manifest, binary }: ModelArtefact,
): Promise<{ evaluation: Evaluation | null; warnings: string[] }> => {
  const { task } = config
  const scorer = loadScorer(manifest, binary)
  const features = inModelOrder(task.features, { scorer, manifest })
  const target = task.target.type === 'classification' ? { ...task.target, classes: manifest.classes } : task.target
  try {
    return { evaluation: evaluate(scorer, await readTaskDataset(config, { features, target })), warnings: [] }
  } catch (error) {
    if (!(error instanceof DatasetInvalid)) throw error
    return { evaluation: null, warnings: [`the model was not tried on the task's dataset: ${error.message}`] }
  }
}

const refuseStrange = (manifest: ModelManifest, { task }: Config): void => {
  if (fitsTask(manifest, task)) return
  throw new AppError(
    'MODEL_UNSUITABLE',
    `the model is a ${manifest.kind} of [${manifest.features}] -> [${manifest.classes}], which does not fit task ` +
      `${task.task}, a ${task.target.type} of [${task.features.map(({ name }) => name)}]: train it on the task's columns`,
  )
}

/**
 * Reads a model that was trained elsewhere, or without a configuration, as a model of the task. It is loaded, scores its
 * golden rows, and is tried on the task's dataset.
 * @throws ConfigInvalid, OnnxRefused, ArtefactCorrupt, GoldenRowsDiffer; AppError MODEL_UNSUITABLE
 */
export const importModel = async (config: Config, options: ImportOptions): Promise<ImportedModel> => {
  const { path, actor } = options
  const { artefact, warnings, record }: Read = path.endsWith('.onnx')
    ? { ...(await importOnnxModel(config, options)), record: {} }
    : await readFolder(config, options)
  const { manifest, binary } = artefact
  refuseStrange(manifest, config)
  verifyGolden(loadScorer(manifest, binary), manifest.golden)
  const tried = await evaluateOnDataset(config, artefact)
  const run: RunRecord = {
    ...{ trained_at: Date.now(), seconds: 0, fit_seconds: {}, artefact_bytes: {}, ...softwareVersions() },
    ...record,
    trained_by: actor,
    imported_from: path,
  }
  return { artefact, run, onDataset: tried.evaluation, warnings: [...warnings, ...tried.warnings] }
}
