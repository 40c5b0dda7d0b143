import type { TaskConfig } from '../config/task-schema.ts'
import type { Dataset } from '../features/dataset.ts'
import type { ValidationIssue } from '../features/validate/validation-report.ts'
import type { HistoryReader } from '../history/history-types.ts'
import { comparePaired } from '../models/compare/paired-test.ts'
import type { Evaluation, ModelArtefact, ModelManifest } from '../models/manifest.ts'
import type { Scorer } from '../models/scorer.ts'
import { checkRecentRows } from './check-recent-rows.ts'
import { type Measured, type RecentLabels, readRecentLabels } from './recent-labels.ts'
import type { NotReady } from './retraining-types.ts'

/** How the two did on the same rows; null where there is no champion, or none that can be compared. */
export type Comparison = {
  champion: Evaluation | null
  challenger: Evaluation
  /** Chance that a challenger that is no better looks at least this much better; null without a champion. */
  pValue: number | null
}

export type TrainingRowsOfJob = {
  base: Dataset
  recent: Dataset
  /** What a person should know of the recent ones. */
  issues: readonly ValidationIssue[]
}

/**
 * The labelled rows of one retraining, and all that is worked out from them. With many rows each step takes seconds: see
 * `rowsInThread`. The steps are asked for in this order, one at a time.
 */
export type RetrainingRows = {
  /**
   * Reads the labelled rows of late and sets a part of them aside. Not ready while there are too few.
   * @param sinceEventTime only events at or after this time, ms since the epoch; null for all
   * @param modelFeatures the order of the features of each version that recorded rows
   */
  open: (query: {
    sinceEventTime: number | null
    modelFeatures: ReadonlyMap<string, readonly string[]>
  }) => Promise<{ status: 'ready'; labels: number } | NotReady>
  /** The rows to train on. @throws TrainingDataRefused, and what reading the base rows throws */
  trainingRows: () => Promise<TrainingRowsOfJob>
  /** How both models do on the rows that were set aside; null where the challenger is of another task. */
  compare: (champion: ModelArtefact | null, challenger: ModelArtefact) => Promise<Comparison | null>
}

export type RetrainingRowsDeps = {
  task: Pick<TaskConfig, 'features' | 'target' | 'training' | 'retraining'>
  history: Pick<HistoryReader, 'labelledRows' | 'countLabelled'>
  /** The task's own rows. */
  readBase: () => Promise<Dataset>
  loadScorer: (manifest: ModelManifest, binary: Uint8Array) => Scorer
}

/** Works on the rows in this thread. */
export const createRetrainingRows = (deps: RetrainingRowsDeps): RetrainingRows => {
  const { task, history, readBase, loadScorer } = deps
  let opened: RecentLabels | null = null

  const recent = (): RecentLabels => {
    if (opened === null) throw new TypeError('the rows were not opened, or too few')
    return opened
  }

  const measure = ({ manifest, binary }: ModelArtefact): Measured | null =>
    recent().measure({ manifest, scorer: loadScorer(manifest, binary) })

  return {
    open: async ({ sinceEventTime, modelFeatures }) => {
      const read = await readRecentLabels({
        history,
        features: task.features,
        target: task.target,
        featuresOf: (version) => modelFeatures.get(version),
        sinceEventTime,
        ...task.retraining,
      })
      if (read.status === 'not_ready') return read
      opened = read
      return { status: 'ready', labels: read.labels }
    },

    trainingRows: async () => {
      const { train } = recent()
      const issues = checkRecentRows(train, { features: task.features, folds: task.training.folds })
      return { base: await readBase(), recent: train, issues }
    },

    compare: async (champion, challenger) => {
      const after = measure(challenger)
      if (after === null) return null
      const before = champion === null ? null : measure(champion)
      if (before === null) return { champion: null, challenger: after.evaluation, pValue: null }
      const { pGreater } = comparePaired(before.outputs, after.outputs, recent().holdout)
      return { champion: before.evaluation, challenger: after.evaluation, pValue: pGreater }
    },
  }
}
