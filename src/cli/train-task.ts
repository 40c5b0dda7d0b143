import type { ValidationCode } from '../features/validate/validation-report.ts'
import { withModelEvents } from './model-events.ts'
import { candidateTable, evaluationTables } from './model-table.ts'
import { type OpenedRegistry, remarkProblem, withRegistry } from './models/with-registry.ts'
import { createProgress, type Progress } from './progress.ts'
import type { TaskOptions } from './task-options.ts'
import { type TrainedVersion, trainVersion } from './training.ts'
import { validationText } from './validation-text.ts'

export type TaskTrainOptions = TaskOptions & {
  promote?: boolean
  onlyIfNone?: boolean
  reason: string
  force?: boolean
  accept: ValidationCode[]
}

const report = (result: TrainedVersion): string => {
  const { version, manifest, run, trained, promoted } = result
  const serves = promoted ? ' is in production' : ` is stored; promote it with: driftline models promote ${version}`
  if (!trained) {
    const now = promoted ? ', which is in production now' : ''
    return `nothing was trained: data, parameters and code are those of version ${version}${now}`
  }
  return [
    validationText(result.report),
    `\n${candidateTable(manifest, run)}`,
    `\n${manifest.name} on ${manifest.metrics.test.rows} held-out rows:\n`,
    evaluationTables(manifest.metrics.test),
    `\nversion ${version}${serves}`,
  ].join('\n')
}

/** `driftline train` with a task file: the pipeline, and what it came to. */
export const trainTask = async (options: TaskTrainOptions): Promise<void> => {
  const progress = createProgress()
  try {
    await withRegistry(options, (opened) => trainWith(opened, options, progress))
  } finally {
    progress.stop()
  }
}

const trainWith = async (opened: OpenedRegistry, options: TaskTrainOptions, progress: Progress): Promise<void> => {
  const { config, registry } = opened
  const { aliases } = await registry.store.readAliases()
  if (options.onlyIfNone && aliases.production !== undefined) {
    const message = `version ${aliases.production} is in production; nothing was trained`
    console.log(options.json ? JSON.stringify({ version: aliases.production, trained: false }) : message)
    return
  }
  const result = await withModelEvents(config, (publish) =>
    trainVersion(config, {
      ...{ registry, publish, actor: 'train', reason: options.reason },
      promote: options.promote ? 'always' : 'if-none',
      force: options.force ?? false,
      accept: options.accept,
      onStep: ({ step, status, detail }) =>
        progress.note(status === 'ran' ? `${step}: ${detail}` : `${step}: unchanged, ${detail}`),
      onProgress: ({ candidate, stepsDone, stepsTotal }) =>
        progress.update(`training ${candidate}: ${stepsDone} of ${stepsTotal} fits`),
    }),
  )
  progress.stop()
  remarkProblem(opened)
  const { version, manifest, run, promoted, trained, steps, report: validation } = result
  const { metrics, candidates } = manifest
  console.log(
    options.json
      ? JSON.stringify({ version, promoted, trained, metrics, candidates, run, steps, validation })
      : report(result),
  )
}
