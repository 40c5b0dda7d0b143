import { hash } from 'node:crypto'
import type { ValidationReport } from '../../features/validate/validation-report.ts'
import type { ModelArtefact, RunRecord } from '../../models/manifest.ts'
import { encodeManifest } from '../../models/manifest-codec.ts'
import { type LockFile, type PipelineLock, type StepInputs, sameInputs } from './pipeline-lock.ts'

/** A trained model that is not registered yet. */
export type StagedModel = { readonly artefact: ModelArtefact; readonly run: RunRecord }

export type PipelineStep = 'validate' | 'train' | 'register'

/** What became of a step. */
export type StepOutcome = {
  readonly step: PipelineStep
  readonly status: 'ran' | 'unchanged'
  /** A sentence for people. */
  readonly detail: string
}

export type PipelineParts = {
  readonly lock: LockFile
  /** What validation and training read, by name, as digests. */
  readonly inputs: { readonly validate: StepInputs; readonly train: StepInputs }
  /** Whether every step runs, whatever the lock says. */
  readonly force: boolean
  /** @throws TrainingDataRefused */
  readonly validate: () => Promise<ValidationReport>
  readonly train: (report: ValidationReport) => Promise<StagedModel>
  /** Where a model lies between training and registration, so that a crash there loses no training. */
  readonly staging: {
    readonly write: (model: StagedModel) => Promise<void>
    /** Null where there is none that is whole. */
    readonly read: () => Promise<StagedModel | null>
    readonly remove: () => Promise<void>
  }
  readonly registry: {
    readonly add: (model: StagedModel) => Promise<string>
    /** Null where there is none that is whole. */
    readonly read: (version: string) => Promise<ModelArtefact | null>
    /** The last version that was made of these inputs, or null. */
    readonly findMade: (inputs: StepInputs) => Promise<string | null>
  }
  readonly onStep: (outcome: StepOutcome) => void
}

export type PipelineResult = {
  readonly version: string
  readonly artefact: ModelArtefact
  /** The record of the training, or null where the version was there already. */
  readonly run: RunRecord | null
  readonly report: ValidationReport
  readonly steps: readonly StepOutcome[]
}

/** Names a model: the digest of its manifest, which holds that of its binary. */
export const modelDigest = ({ manifest }: ModelArtefact): string => hash('sha256', encodeManifest(manifest))

/**
 * Validates, trains, registers. A step whose inputs are those of its last run, and whose result is still there, does not
 * run again. It may be killed anywhere: the lock is written after each step, a trained model waits in staging until
 * it is registered, and a version is found by what it was made of, so none is added twice.
 * @throws what the steps throw
 */
export const runPipeline = async (parts: PipelineParts): Promise<PipelineResult> => {
  const { force, inputs, staging, registry } = parts
  let lock: PipelineLock = await parts.lock.read()
  const steps: StepOutcome[] = []
  const note = (step: PipelineStep, status: StepOutcome['status'], detail: string): void => {
    const outcome = { step, status, detail }
    steps.push(outcome)
    parts.onStep(outcome)
  }
  const keep = async (changes: Partial<PipelineLock>): Promise<void> => {
    lock = { ...lock, ...changes }
    await parts.lock.write(lock)
  }

  const validate = async (): Promise<ValidationReport> => {
    if (!force && lock.validate !== undefined && sameInputs(lock.validate.inputs, inputs.validate)) {
      note('validate', 'unchanged', `${lock.validate.report.issues.length} warnings, as before`)
      return lock.validate.report
    }
    const report = await parts.validate()
    await keep({ validate: { inputs: inputs.validate, report } })
    note('validate', 'ran', `${report.rows} rows, ${report.issues.length} warnings`)
    return report
  }

  type Version = { version: string; artefact: ModelArtefact }

  const readWhole = async (version: string | null): Promise<Version | null> => {
    const artefact = version === null ? null : await registry.read(version)
    return version === null || artefact === null ? null : { version, artefact }
  }

  /** The version of an earlier run with the same inputs: that of the last run, or any other. */
  const findVersion = async (): Promise<Version | null> => {
    const { train, register } = lock
    const isLast = train !== undefined && sameInputs(train.inputs, inputs.train)
    if (isLast && register?.inputs['model'] === train.model) {
      const last = await readWhole(register.version)
      if (last !== null && modelDigest(last.artefact) === train.model) return last
    }
    return readWhole(await registry.findMade(inputs.train))
  }

  /** The model that a run with the same inputs left in staging. */
  const findStaged = async (): Promise<StagedModel | null> => {
    const { train } = lock
    if (train === undefined || !sameInputs(train.inputs, inputs.train)) return null
    const staged = await staging.read()
    return staged !== null && modelDigest(staged.artefact) === train.model ? staged : null
  }

  const report = await validate()
  const found = force ? null : await findVersion()
  if (found !== null) {
    const model = modelDigest(found.artefact)
    await keep({ train: { inputs: inputs.train, model }, register: { inputs: { model }, version: found.version } })
    await staging.remove()
    note('train', 'unchanged', `since version ${found.version}`)
    note('register', 'unchanged', `version ${found.version}`)
    return { ...found, run: null, report, steps }
  }

  let staged = force ? null : await findStaged()
  if (staged === null) {
    staged = await parts.train(report)
    await staging.write(staged)
    await keep({ train: { inputs: inputs.train, model: modelDigest(staged.artefact) } })
    note('train', 'ran', staged.artefact.manifest.name)
  } else note('train', 'unchanged', 'since a run that was ended before it could register its model')

  const { artefact, run } = staged
  const version = await registry.add(staged)
  await keep({ register: { inputs: { model: modelDigest(artefact) }, version } })
  await staging.remove()
  note('register', 'ran', `version ${version}`)
  return { version, artefact, run, report, steps }
}
