import { resolve } from 'node:path'
import type { ValidationCode } from '../features/validate/validation-report.ts'
import type { ModelArtefact, RunRecord } from '../models/manifest.ts'
import { type AdHocRows, readAdHocRows } from './ad-hoc/ad-hoc-rows.ts'
import { HOLDOUT_FRACTION, trainAdHoc } from './ad-hoc/ad-hoc-training.ts'
import { checkModelFolder, writeModelFolder } from './model-folder.ts'
import { candidateTable, evaluationTables } from './model-table.ts'
import { parametersAmong } from './parameter-options.ts'
import { createProgress } from './progress.ts'
import { validationText } from './validation-text.ts'

export type AdHocTrainOptions = {
  data: string
  target: string
  holdout?: string
  task?: 'classification' | 'regression'
  ignore: string[]
  family?: string
  engine?: string
  calibration: string
  seed: number
  folds: number
  out: string
  accept: ValidationCode[]
  json?: boolean
}

type Trained = { artefact: ModelArtefact; run: RunRecord }

const describeRows = ({ task, base, holdout }: AdHocRows): string => {
  const categories = task.features.filter(({ type }) => type === 'category').length
  const tested =
    holdout === null ? `${HOLDOUT_FRACTION * 100} % of them held out` : `${holdout.rows} others to test with`
  const left = task.ignored.length > 0 ? `; left out: ${task.ignored.join(', ')}` : ''
  return (
    `${base.rows} rows, ${tested}; ${task.features.length} features, ${categories} of them categories${left}\n` +
    `the target '${task.target.name}' is ${task.reason}`
  )
}

const resultOf = ({ task }: AdHocRows, { artefact: { manifest }, run }: Trained, path: string) => ({
  name: manifest.name,
  family: manifest.family,
  engine: manifest.engine,
  fit_seconds: run.fit_seconds[manifest.name],
  metrics: manifest.metrics.test,
  path,
  cv: manifest.metrics.cv,
  target: { name: task.target.name, type: task.target.type, reason: task.reason },
  rows: { train: manifest.data.train_rows, test: manifest.data.test_rows },
  candidates: manifest.candidates,
  validation: run.validation,
})

/** `driftline train --data`: trains on a file without any configuration and writes a model folder. */
export const trainFromFile = async (options: AdHocTrainOptions): Promise<void> => {
  const { data, target, holdout, ignore, family, engine, calibration, seed, folds, accept } = options
  const progress = createProgress()
  try {
    const path = resolve(options.out)
    await checkModelFolder(path)
    const rows = await readAdHocRows({
      ...{ data, target, ignore },
      ...(holdout === undefined ? {} : { holdout }),
      ...(options.task === undefined ? {} : { kind: options.task }),
    })
    progress.note(describeRows(rows))
    const trained = await trainAdHoc(rows, {
      ...{ data, seed, folds, accept },
      request: {
        ...(family === undefined ? {} : { family }),
        ...(engine === undefined ? {} : { engine }),
        calibration,
        parameters: parametersAmong(options),
      },
      thread: {
        onProgress: ({ candidate, stepsDone, stepsTotal }) =>
          progress.update(`training ${candidate}: ${stepsDone} of ${stepsTotal} fits`),
      },
    })
    await writeModelFolder(path, trained.artefact, trained.run)
    progress.stop()
    const { manifest } = trained.artefact
    if (options.json) {
      console.log(JSON.stringify(resultOf(rows, trained, path)))
      return
    }
    const { validation } = trained.run
    if (validation !== undefined) console.log(validationText(validation))
    console.log(`\n${candidateTable(manifest, trained.run)}`)
    console.log(`\n${manifest.name} on ${manifest.metrics.test.rows} held-out rows:\n`)
    console.log(evaluationTables(manifest.metrics.test))
    console.log(`\nthe model is in ${path}; score with: driftline score --model ${options.out} --in rows.csv`)
  } finally {
    progress.stop()
  }
}
