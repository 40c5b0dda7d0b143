import { join } from 'node:path'
import type { Config } from '../../config/config.ts'
import { AppError, ConfigInvalid } from '../../errors.ts'
import type { ScoringModel } from '../../models/score-rows.ts'
import { verifyGolden } from '../../models/verify-golden.ts'
import { createModelLoader } from '../../registry/model-loader.ts'
import type { ArtefactStore } from '../../registry/registry-types.ts'
import type { Logger } from '../../telemetry/log.ts'
import { resolveVersion, storeOf } from '../open-model.ts'
import { progressBar } from '../progress-bar.ts'
import { type KafkaParts, openKafka } from '../roles/kafka-parts.ts'
import { registerPredictions } from '../roles/prediction-topic.ts'
import { loadFitting } from '../roles/registry-parts.ts'
import { compareReplay } from './compare-replay.ts'
import { createReplayPlans, type ReplayAsked, type ReplayPlan } from './replay-plan.ts'
import { offsetRangesBetween, offsetsIn } from './replay-range.ts'
import type { ReplayReport } from './replay-report.ts'
import { openReplay, type ReplayTopics, replayTopicsOf } from './replay-target.ts'
import type { ReplayTime } from './replay-time.ts'
import { writeReplay } from './write-replay.ts'

export type ReplayRequest = {
  readonly asked: ReplayAsked
  readonly from: ReplayTime
  readonly to: ReplayTime
  /** Where predictions go; null to compare only. */
  readonly toTopic: string | null
  readonly restart: boolean
}

export type ReplayContext = {
  readonly logger: Logger
  /** What goes on, in one line that changes. */
  readonly update: (text: string) => void
  readonly signal: AbortSignal
}

/** A version that is ready to score. @throws AppError with the code of what is wrong with it */
const openVersion = async (config: Config, store: ArtefactStore, version: string): Promise<ScoringModel> => {
  const load = createModelLoader({ store, loadScorer: loadFitting(config.task), verifyGolden })
  const loaded = await load(version)
  if (loaded.status === 'ready') return { version, scorer: loaded.scorer, manifest: loaded.manifest }
  throw new AppError(loaded.code, `version ${version} cannot score: ${loaded.reason}`)
}

type Found = Omit<ReplayPlan, 'asked' | 'group'>

const rangeNumbers = ({ ranges }: Found): ReplayReport['ranges'] =>
  [...ranges].map(([partition, { from, to }]) => ({ partition, from: Number(from), to: Number(to) }))

/**
 * Scores a range of the features topic again and compares the result with what was published. With a topic to write
 * to, the predictions are written exactly once, and a replay that was ended midway goes on.
 * @throws ConfigInvalid, ReplayRefused, VersionNotFound, AppError INTERRUPTED
 */
export const runReplay = async (
  config: Config,
  request: ReplayRequest,
  context: ReplayContext,
): Promise<ReplayReport> => {
  const kafka = await openKafka(config, 'replay', context.logger)
  try {
    return await replayWith(kafka, config, request, context)
  } finally {
    await kafka.admin.close()
  }
}

const replayWith = async (
  kafka: KafkaParts,
  config: Config,
  request: ReplayRequest,
  context: ReplayContext,
): Promise<ReplayReport> => {
  const { asked, toTopic } = request
  const { task } = config
  const { admin, topics } = kafka
  const startedMs = performance.now()
  const store = storeOf(config)
  const source = topics.features.name

  const newPlan = async (): Promise<Found> => {
    const ranges = await offsetRangesBetween(admin, source, request.from, request.to)
    if (ranges.size === 0) throw new ConfigInvalid(`${source} holds no events from ${asked.from} to ${asked.to}`)
    const fromMs = request.from.at === 'time' ? request.from.timestampMs : null
    return { version: await resolveVersion(store, asked.model), fromMs, ranges }
  }
  const open = async (
    target: ReplayTopics | null,
  ): Promise<{ plan: Found & { group: string | null }; goesOn: boolean }> => {
    if (target === null) return { plan: { ...(await newPlan()), group: null }, goesOn: false }
    return openReplay({
      ...{ admin, task: task.task, source, topics: target, asked, newPlan },
      partitions: await admin.partitionsOf(source),
      replicationFactor: task.stream.replicationFactor,
      plans: createReplayPlans(join(config.paths.home, 'replays', task.task)),
      restart: request.restart,
      now: Date.now,
    })
  }

  const target = toTopic === null ? null : replayTopicsOf(toTopic, topics)
  const { plan, goesOn } = await open(target)
  const model = await openVersion(config, store, plan.version)
  const total = offsetsIn(plan.ranges)
  const refused = new Map<string, number>()
  const refuse = (code: string, count = 1): void => {
    refused.set(code, (refused.get(code) ?? 0) + count)
  }

  let written = 0
  if (target !== null && plan.group !== null) {
    await registerPredictions(kafka.schemas, target.predictions.name)
    const found = await writeReplay({
      ...{ kafka, task, model, topics: target, signal: context.signal },
      plan: { group: plan.group, ranges: plan.ranges },
      onProgress: (done) =>
        context.update(`scoring  ${progressBar(done / total, done, (performance.now() - startedMs) / 1000)}`),
    })
    written = found.predictions
    for (const [code, count] of found.deadLetters) refuse(code, count)
  }

  const versions = await store.listVersions()
  const comparedFromMs = performance.now()
  let rows = 0
  const compared = await compareReplay({
    ...{ kafka, config, plan, model },
    replayTopic: target?.predictions.name ?? null,
    classesOf: (version) => versions.find((known) => known.version === version)?.manifest.classes ?? null,
    refused: refuse,
    onRow: () => {
      if (context.signal.aborted) throw new AppError('INTERRUPTED', 'stopped while it compared')
      rows += 1
      if (rows % 10_000 !== 0) return
      context.update(`comparing  ${progressBar(rows / total, rows, (performance.now() - comparedFromMs) / 1000)}`)
    },
  })
  return {
    task: task.task,
    model_version: plan.version,
    ...{ from: asked.from, to: asked.to, ranges: rangeNumbers(plan) },
    to_topic: target?.predictions.name ?? null,
    group: plan.group,
    went_on: goesOn,
    written,
    refused: Object.fromEntries(refused),
    ...compared,
    seconds: (performance.now() - startedMs) / 1000,
  }
}
