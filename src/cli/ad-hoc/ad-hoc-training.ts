import { basename, extname } from 'node:path'
import { digestRows } from '../../features/digest.ts'
import { classesOf } from '../../features/target-spec.ts'
import { refuseErrors, validateDataset } from '../../features/validate/validate-dataset.ts'
import type { ValidationCode } from '../../features/validate/validation-report.ts'
import type { ModelArtefact, RunRecord } from '../../models/manifest.ts'
import { digestOf } from '../../training/pipeline/canonical-digest.ts'
import { digestCode } from '../../training/pipeline/code-digest.ts'
import { type TrainThreadOptions, trainInThread } from '../../training/train-thread.ts'
import { engineLibraries, softwareVersions } from '../software.ts'
import { adHocCandidates, type CandidateRequest } from './ad-hoc-candidates.ts'
import type { AdHocRows } from './ad-hoc-rows.ts'

/** Share of the rows that is held out where no file to test with is given. */
export const HOLDOUT_FRACTION = 0.2
const REFERENCE_ROWS = 1000

export type AdHocTrainingOptions = {
  /** The file that the rows are from: the model is called by it. */
  readonly data: string
  readonly request: Omit<CandidateRequest, 'kind' | 'rows'>
  readonly seed: number
  readonly folds: number
  readonly accept: readonly ValidationCode[]
  readonly thread: Pick<TrainThreadOptions, 'onProgress' | 'signal'>
}

/** A name for the task of a file: that of the file. */
const taskNameOf = (path: string): string => {
  const words = basename(path, extname(path))
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
  return /^[a-z]/.test(words) ? words : `task_${words}`
}

/**
 * Trains without a configuration.
 * @throws ConfigInvalid, TrainingDataRefused, TrainingFailed
 */
export const trainAdHoc = async (
  { task, base, holdout }: AdHocRows,
  options: AdHocTrainingOptions,
): Promise<{ artefact: ModelArtefact; run: RunRecord }> => {
  const { seed, folds, accept, request } = options
  const testFraction = holdout === null ? HOLDOUT_FRACTION : 0
  const rows = Math.round(base.rows * (1 - testFraction))
  const candidates = adHocCandidates({ ...request, kind: task.target.type, rows })
  const validation = refuseErrors(validateDataset(base, { features: task.features, folds, testFraction, accept }))
  const { artefact, timings } = await trainInThread(
    {
      task: taskNameOf(options.data),
      features: task.features,
      classNames: classesOf(task.target),
      base,
      ...(holdout === null ? {} : { test: holdout }),
      ...{ seed, folds, candidates },
      testFraction: HOLDOUT_FRACTION,
      referenceRows: REFERENCE_ROWS,
      parent: null,
      reason: 'initial',
    },
    options.thread,
  )
  const lineage = {
    data: digestRows(base),
    parameters: digestOf({
      ...{ features: task.features, target: task.target, seed, folds, candidates, testFraction },
      holdout: holdout === null ? null : digestRows(holdout),
    }),
    code: await digestCode(engineLibraries()),
  }
  const made = { trained_at: Date.now(), trained_by: 'train', ...timings, ...softwareVersions() }
  return { artefact, run: { ...made, lineage, validation } }
}
