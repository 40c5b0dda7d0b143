import type { Config } from '../config/config.ts'
import type { ModelEvent } from '../events.ts'
import type { ValidationCode, ValidationReport } from '../features/validate/validation-report.ts'
import { headlineOf } from '../models/headline.ts'
import type { ModelManifest, RunRecord } from '../models/manifest.ts'
import type { AliasResult, Registry } from '../registry/registry-types.ts'
import type { StepOutcome } from '../training/pipeline/run-pipeline.ts'
import type { TrainThreadOptions } from '../training/train-thread.ts'
import { runTaskPipeline } from './training-pipeline.ts'

export type TrainedVersion = {
  version: string
  manifest: ModelManifest
  run: RunRecord
  /** False where nothing had changed since the version was trained. */
  trained: boolean
  /** Whether this put it into production. */
  promoted: boolean
  steps: readonly StepOutcome[]
  report: ValidationReport
}

export type TrainVersionOptions = {
  registry: Registry
  actor: string
  reason: string
  promote: 'always' | 'if-none' | 'never'
  publish: (event: ModelEvent) => Promise<void>
  /** Trains even if nothing has changed since the last time. */
  force?: boolean
  accept?: readonly ValidationCode[]
  onStep?: (outcome: StepOutcome) => void
  onProgress?: NonNullable<TrainThreadOptions['onProgress']>
  signal?: AbortSignal
}

/** The record of a version that was there already. */
const runOf = async (registry: Registry, version: string): Promise<RunRecord> => {
  const found = (await registry.store.listVersions()).find((summary) => summary.version === version)
  // The pipeline takes versions from the same list.
  return found!.run
}

/**
 * Trains on the task's dataset and adds the model as a version, unless there is one of the same data, parameters and
 * code.
 * @param options.promote `if-none`: only where production names no version yet
 * @throws TrainingDataRefused, DatasetInvalid, TrainingFailed, ConfigInvalid
 */
export const trainVersion = async (config: Config, options: TrainVersionOptions): Promise<TrainedVersion> => {
  const { registry, actor, reason } = options
  const { aliases } = await registry.store.readAliases()
  const parent = aliases.production ?? null
  const { version, artefact, run, steps, report } = await runTaskPipeline(config, {
    ...{ store: registry.store, actor, reason },
    force: options.force ?? false,
    accept: options.accept ?? [],
    onStep: options.onStep ?? (() => undefined),
    thread: {
      ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    },
  })
  const { manifest } = artefact
  const { metric, value } = headlineOf(manifest.metrics.test)
  const told = { version, actor, previous_version: parent, metrics: { [`test_${metric}`]: value } }
  if (run !== null) {
    await options.publish({ ...told, type: 'trained', at: Date.now(), epoch: null, reason: manifest.reason })
  }
  const known = {
    ...{ version, manifest, steps, report },
    trained: run !== null,
    run: run ?? (await runOf(registry, version)),
  }

  const wanted = options.promote === 'always' ? parent !== version : options.promote === 'if-none' && parent === null
  if (!wanted) return { ...known, promoted: false }
  const why = run === null ? reason : manifest.reason
  const result: AliasResult = await registry.promote({ alias: 'production', version, actor, reason: why })
  if (result.status !== 'set') return { ...known, promoted: false }
  await options.publish({ ...told, type: 'promoted', at: Date.now(), epoch: result.state.epoch, reason: why })
  return { ...known, promoted: true }
}
