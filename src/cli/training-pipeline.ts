import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import type { Dataset } from '../features/dataset.ts'
import { digestRows } from '../features/digest.ts'
import { classesOf } from '../features/target-spec.ts'
import { refuseErrors } from '../features/validate/validate-dataset.ts'
import type { ValidationCode, ValidationReport } from '../features/validate/validation-report.ts'
import type { Lineage } from '../models/manifest.ts'
import type { ArtefactStore } from '../registry/registry-types.ts'
import { digestOf } from '../training/pipeline/canonical-digest.ts'
import { digestCode } from '../training/pipeline/code-digest.ts'
import { createLockFile, sameInputs } from '../training/pipeline/pipeline-lock.ts'
import {
  type PipelineParts,
  type PipelineResult,
  runPipeline,
  type StagedModel,
  type StepOutcome,
} from '../training/pipeline/run-pipeline.ts'
import { type TrainThreadOptions, trainInThread } from '../training/train-thread.ts'
import { readTaskDataset } from './dataset.ts'
import { readModelFolder, writeModelFolder } from './model-folder.ts'
import { engineLibraries, softwareVersions } from './software.ts'
import { validateTaskRows } from './validate-task-rows.ts'

export type PipelineOptions = {
  readonly store: ArtefactStore
  readonly actor: string
  readonly reason: string
  /** Runs every step, changed or not. */
  readonly force: boolean
  /** Errors of the validation that somebody has found to be right. */
  readonly accept: readonly ValidationCode[]
  readonly onStep: (outcome: StepOutcome) => void
  readonly thread: Pick<TrainThreadOptions, 'onProgress' | 'signal'>
}

/** The parts of the configuration that have a say in the validation, and in the training. */
const parametersOf = ({ task }: Config, accept: readonly ValidationCode[]) => {
  const { features, target, seed, training, dataset } = task
  const { testFraction } = dataset
  return {
    validate: { features, target, testFraction, folds: training.folds, accept: [...accept].sort() },
    train: { task: task.task, features, target, testFraction, seed, training },
  }
}

const train = async (
  { task }: Config,
  base: Dataset,
  options: PipelineOptions,
  record: { lineage: Lineage; validation: ValidationReport },
): Promise<StagedModel> => {
  const { aliases } = await options.store.readAliases()
  const parent = aliases.production ?? null
  const { artefact, timings } = await trainInThread(
    {
      ...task.training,
      task: task.task,
      features: task.features,
      classNames: classesOf(task.target),
      base,
      seed: task.seed,
      testFraction: task.dataset.testFraction,
      parent,
      reason: parent === null ? 'initial' : options.reason,
    },
    options.thread,
  )
  const made = { trained_at: Date.now(), trained_by: options.actor, ...timings, ...softwareVersions() }
  return { artefact, run: { ...made, ...record } }
}

const whole = async <T>(reading: Promise<T>): Promise<T | null> => reading.catch(() => null)

const registryOf = (store: ArtefactStore): PipelineParts['registry'] => ({
  add: ({ artefact, run }) => store.addVersion(artefact, run),
  // A version that is gone or damaged is trained anew. One with a damaged record is not listed.
  read: async (version) => {
    const listed = (await store.listVersions()).some((summary) => summary.version === version)
    return listed ? whole(store.readVersion(version)) : null
  },
  findMade: async (inputs) => {
    const versions = await store.listVersions()
    return versions.findLast(({ run }) => run.lineage !== undefined && sameInputs(run.lineage, inputs))?.version ?? null
  },
})

/**
 * Validates the dataset of a task, trains on it and registers the model, as far as data, parameters or code have
 * changed since the last time. What was done is written down beside the versions, in pipeline.lock.json.
 * @throws TrainingDataRefused, TrainingFailed, DatasetInvalid, ConfigInvalid
 */
export const runTaskPipeline = async (config: Config, options: PipelineOptions): Promise<PipelineResult> => {
  const base = await readTaskDataset(config)
  const data = digestRows(base)
  const code = await digestCode(engineLibraries())
  const parameters = parametersOf(config, options.accept)
  const staged = join(config.paths.artefacts, 'pipeline.staged')
  const inputsOf = (of: keyof typeof parameters): Lineage => ({ data, parameters: digestOf(parameters[of]), code })
  return runPipeline({
    lock: createLockFile(join(config.paths.artefacts, 'pipeline.lock.json')),
    inputs: { validate: inputsOf('validate'), train: inputsOf('train') },
    force: options.force,
    validate: async () => refuseErrors(validateTaskRows(config, base, options.accept)),
    train: (validation) => train(config, base, options, { lineage: inputsOf('train'), validation }),
    staging: {
      write: ({ artefact, run }) => writeModelFolder(staged, artefact, run),
      read: async () => {
        const found = await whole(readModelFolder(staged))
        return found === null || found.run === null ? null : { artefact: found.artefact, run: found.run }
      },
      remove: () => rm(staged, { recursive: true, force: true }),
    },
    registry: registryOf(options.store),
    onStep: options.onStep,
  })
}
