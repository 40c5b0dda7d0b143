import type { TaskConfig } from '../config/task-schema.ts'
import { describeError } from '../errors.ts'
import type { ModelEvent } from '../events.ts'
import { classesOf } from '../features/target-spec.ts'
import { describeIssue } from '../features/validate/validation-report.ts'
import { figuresOf } from '../models/headline.ts'
import type { Evaluation } from '../models/manifest.ts'
import type { TournamentConduct, TournamentInput, TournamentResult } from '../models/tournament/tournament-types.ts'
import type { AliasChange, AliasState, Registry } from '../registry/registry-types.ts'
import type { Logger } from '../telemetry/log.ts'
import { TrainingAborted } from '../training/training-errors.ts'
import { decidePromotion, figureOf } from './promotion.ts'
import { productionMoved, promotionBy, retrainActor } from './retrain-actor.ts'
import type { Comparison, RetrainingRows, TrainingRowsOfJob } from './retraining-rows.ts'
import type { NotReady, RetrainContext, RetrainOutcome, RetrainRequest } from './retraining-types.ts'

export type RetrainTask = Pick<
  TaskConfig,
  'task' | 'features' | 'target' | 'dataset' | 'seed' | 'training' | 'retraining' | 'promotion'
>

export type RetrainDeps = {
  task: RetrainTask
  registry: Pick<Registry, 'store' | 'promote'>
  /** The labelled rows of this one retraining. Must leave the event loop free; see `rowsInThread`. */
  rows: RetrainingRows
  /** Must leave the event loop free; see `trainInThread`. */
  train: (
    input: TournamentInput,
    options: Pick<TournamentConduct, 'signal' | 'onProgress'>,
  ) => Promise<TournamentResult>
  publish: (event: ModelEvent) => Promise<void>
  now: () => number
  /** Versions of the programs, for the run record. */
  software: { node: string; driftline: string }
  logger: Logger
}

type Job = { deps: RetrainDeps; request: RetrainRequest; context: RetrainContext; actor: string }

/** The single figures of an evaluation, each with whose it is. */
const named = (whose: string, evaluation: Evaluation): Record<string, number> =>
  Object.fromEntries(
    Object.entries(figuresOf(evaluation))
      .filter(([name]) => name !== 'rows')
      .map(([name, value]) => [`${whose}_${name}`, value]),
  )

const metricsOf = ({ champion, challenger, pValue }: Comparison): Record<string, number> => ({
  ...named('challenger', challenger),
  ...(champion === null ? {} : named('champion', champion)),
  ...(pValue === null ? {} : { p_value: pValue }),
  holdout_rows: challenger.rows,
})

/** The rows to train on; tells what is strange about them. @throws TrainingDataRefused */
const readTrainingRows = async ({ deps: { rows, logger }, context: { jobId } }: Job): Promise<TrainingRowsOfJob> => {
  const read = await rows.trainingRows()
  for (const issue of read.issues) {
    logger.info({ jobId, code: issue.code, feature: issue.feature }, `recent rows: ${describeIssue(issue)}`)
  }
  return read
}

const endIfAborted = ({ context: { signal } }: Job): void => {
  if (signal.aborted) throw new TrainingAborted(`the retraining was ended early: ${describeError(signal.reason)}`)
}

const announce = ({ deps, actor }: Job, event: Omit<ModelEvent, 'at' | 'actor'>): Promise<void> =>
  deps.publish({ ...event, at: deps.now(), actor })

const trainChallenger = async (
  { deps, request, context }: Job,
  { base, recent }: TrainingRowsOfJob,
  parent: string | null,
): Promise<TournamentResult> => {
  const { task } = deps
  return deps.train(
    {
      task: task.task,
      features: task.features,
      classNames: classesOf(task.target),
      base,
      recent,
      seed: task.seed,
      ...task.training,
      testFraction: task.dataset.testFraction,
      parent,
      reason: request.trigger,
    },
    {
      signal: context.signal,
      onProgress: ({ candidate, stepsDone, stepsTotal }) =>
        context.progress({ percent: 10 + Math.floor((70 * stepsDone) / stepsTotal), stage: `training ${candidate}` }),
    },
  )
}

/** Adds the version, unless a run of this job that was taken for dead has done so: same rows, bytes, parent and reason. */
const storeOnce = async ({ deps, actor }: Job, { artefact, timings }: TournamentResult): Promise<string> => {
  const { store } = deps.registry
  const { data, binary, parent, reason } = artefact.manifest
  const stored = (await store.listVersions()).find(
    ({ manifest }) =>
      manifest.data.digest === data.digest &&
      manifest.binary.sha256 === binary.sha256 &&
      manifest.parent === parent &&
      manifest.reason === reason,
  )
  if (stored !== undefined) return stored.version
  return store.addVersion(artefact, { ...timings, ...deps.software, trained_at: deps.now(), trained_by: actor })
}

const promoted = async (job: Job, change: AliasChange, comparison: Comparison): Promise<RetrainOutcome> => {
  const { metric } = job.deps.task.promotion
  await announce(job, {
    type: 'promoted',
    version: change.version,
    previous_version: change.previous,
    epoch: change.epoch,
    reason: change.reason,
    metrics: metricsOf(comparison),
  })
  return {
    status: 'promoted',
    version: change.version,
    previous: change.previous,
    champion: comparison.champion === null ? null : figureOf(comparison.champion, metric),
    challenger: figureOf(comparison.challenger, metric),
    metric,
    epoch: change.epoch,
    promotedAt: change.at,
  }
}

/**
 * Puts the version into production if nobody changed production since `start`.
 * Returns the change, ours or that of another run of this job, or null where somebody else was faster.
 */
const promoteFenced = async (
  { deps, actor }: Job,
  start: AliasState,
  version: string,
  reason: string,
): Promise<AliasChange | null> => {
  let expectedEpoch = start.epoch
  for (;;) {
    const result = await deps.registry.promote({ alias: 'production', version, actor, reason, expectedEpoch })
    const own = promotionBy(result.state, actor)
    if (own !== undefined) return own
    // The epoch counts the moves of all aliases, and another one than production may move meanwhile.
    if (productionMoved(result.state, start.epoch)) return null
    expectedEpoch = result.state.epoch
  }
}

/**
 * One retraining, from the labels to the promotion. It may be run again after a crash at any point, even while a run
 * that was taken for dead goes on: a version is added once, and the promotion is fenced by the epoch read at the start,
 * so that of several runs, jobs and people only the first to promote does.
 *
 * A held-out part of the recent labelled rows, on which no retraining trains, decides between champion and challenger.
 * Every challenger is stored, the rejected too, so that the lineage is complete. Model events are published at least
 * once.
 */
export const retrain = async (
  deps: RetrainDeps,
  request: RetrainRequest,
  context: RetrainContext,
): Promise<RetrainOutcome | NotReady> => {
  const { task, rows, logger } = deps
  const { store } = deps.registry
  const job: Job = { deps, request, context, actor: retrainActor(context.jobId) }
  const { metric } = task.promotion

  context.progress({ percent: 0, stage: 'reading labels' })
  const start = await store.readAliases()
  const versions = await store.listVersions()
  const recent = await rows.open({
    sinceEventTime: request.sinceEventTime,
    modelFeatures: new Map(versions.map(({ version, manifest }) => [version, manifest.features])),
  })
  if (recent.status === 'not_ready') return recent

  const done = promotionBy(start, job.actor)
  if (done !== undefined) {
    // An earlier run of this job ended between the promotion and its report.
    const champion = done.previous === null ? null : await store.readVersion(done.previous)
    const artefact = await store.readVersion(done.version)
    const comparison = await rows.compare(champion, artefact)
    const { test } = artefact.manifest.metrics
    return promoted(job, done, comparison ?? { champion: null, challenger: test, pValue: null })
  }

  const production = start.aliases.production ?? null
  const champion = production === null ? null : await store.readVersion(production)
  const trainingRows = await readTrainingRows(job)
  context.progress({ percent: 10, stage: 'training' })
  const trained = await trainChallenger(job, trainingRows, production)
  endIfAborted(job)

  const { artefact } = trained
  if (champion !== null && champion.manifest.binary.sha256 === artefact.manifest.binary.sha256) {
    const reason = `no label is new since version ${production} was trained: the training gave the same model`
    return { status: 'insufficient_labels', labels: recent.labels, needed: recent.labels + 1, reason }
  }

  context.progress({ percent: 85, stage: 'comparing with production' })
  const comparison = await rows.compare(champion, artefact)
  if (comparison === null) throw new TypeError('the training gave a model of another task')
  const decision = decidePromotion({ ...comparison, ...task.promotion })

  context.progress({ percent: 90, stage: 'storing the version' })
  const version = await storeOnce(job, trained)
  const facts = { version, previous_version: production, epoch: null, metrics: metricsOf(comparison) }
  await announce(job, { ...facts, type: 'trained', reason: request.reason })
  logger.info({ jobId: context.jobId, version, promote: decision.promote }, decision.reason)

  if (!decision.promote && comparison.champion !== null) {
    await announce(job, { ...facts, type: 'rejected', reason: decision.reason })
    return {
      status: 'rejected',
      version,
      champion: figureOf(comparison.champion, metric),
      challenger: figureOf(comparison.challenger, metric),
      metric,
      reason: decision.reason,
    }
  }

  context.progress({ percent: 95, stage: `promoting version ${version}` })
  endIfAborted(job)
  const change = await promoteFenced(job, start, version, decision.reason)
  if (change !== null) return promoted(job, change, comparison)

  const reason = 'production was changed by somebody else while this job ran'
  await announce(job, { ...facts, type: 'rejected', reason })
  return { status: 'superseded', version, reason }
}
