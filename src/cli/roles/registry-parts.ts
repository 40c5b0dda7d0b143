import type { Config } from '../../config/config.ts'
import type { TaskConfig } from '../../config/task-schema.ts'
import { AppError } from '../../errors.ts'
import { classesOf } from '../../features/target-spec.ts'
import { loadScorer } from '../../models/load-scorer.ts'
import type { ModelManifest } from '../../models/manifest.ts'
import { verifyGolden } from '../../models/verify-golden.ts'
import { createFolderStore } from '../../registry/folder-store.ts'
import { createLiveModel } from '../../registry/live-model.ts'
import { createLiveShadows, type LiveShadows } from '../../registry/live-shadows.ts'
import { createRedisSignal } from '../../registry/redis-signal.ts'
import { createRegistry } from '../../registry/registry.ts'
import type { ArtefactStore, LiveModel, Registry, SwapSignal } from '../../registry/registry-types.ts'
import type { Logger } from '../../telemetry/log.ts'
import type { ModelMetrics, ShadowMetrics } from '../../telemetry/metrics.ts'

const pollMs = 2000
/** Several polls long: one that is late must not make a worker look gone. */
const ackTtlMs = 15_000

export type RegistryParts = { store: ArtefactStore; signal: SwapSignal; registry: Registry }

/** The artefact store of the task, the signal over Redis, and the registry on both. */
export const openRegistry = (config: Config, logger: Logger): RegistryParts => {
  const store = createFolderStore({ root: config.paths.artefacts, logger })
  const signal = createRedisSignal({ redisUrl: config.servers.redisUrl, task: config.task.task, ackTtlMs, logger })
  return { store, signal, registry: createRegistry({ store, signal, now: Date.now, logger }) }
}

/**
 * What of a model the task does not have: its features, by name and type, and its classes have to be the task's. Its
 * categories need not be: events are read with those that the model knows.
 */
const strangeNames = (manifest: ModelManifest, task: TaskConfig): string[] => {
  const types = new Map(task.features.map(({ name, type }) => [name, type]))
  const classes = new Set(classesOf(task.target))
  const typeIn = (column: number) => ((manifest.categories[column]?.length ?? 0) > 0 ? 'category' : 'double')
  return [
    ...manifest.features.filter((name, column) => types.get(name) !== typeIn(column)),
    ...manifest.classes.filter((name) => !classes.has(name)),
  ]
}

/** Whether a model can score events of the task. */
export const fitsTask = (manifest: ModelManifest, task: TaskConfig): boolean =>
  manifest.task === task.task && manifest.kind === task.target.type && strangeNames(manifest, task).length === 0

/** Refuses a model of another task: it would load, and score nonsense. @throws AppError MODEL_UNSUITABLE */
export const loadFitting =
  (task: TaskConfig): typeof loadScorer =>
  (manifest, binary) => {
    if (fitsTask(manifest, task)) return loadScorer(manifest, binary)
    throw new AppError(
      'MODEL_UNSUITABLE',
      `the ${manifest.kind} model was trained for task ${manifest.task} with [${manifest.features}] -> [${manifest.classes}]; ` +
        `task ${task.task}, a ${task.target.type}, does not have ${strangeNames(manifest, task).join(', ') || 'that'}: train it anew`,
    )
  }

/** The model that this process serves with; it follows the alias `production`. */
export const followProduction = (options: {
  config: Config
  role: string
  parts: RegistryParts
  metrics: ModelMetrics
  /** Told when another model serves; `loadMs` is what it took since the news of it. */
  onSwap?: (swap: { version: string; loadMs: number }) => void
  logger: Logger
}): LiveModel =>
  createLiveModel({
    store: options.parts.store,
    signal: options.parts.signal,
    role: options.role,
    instanceId: options.config.instanceId,
    loadScorer: loadFitting(options.config.task),
    verifyGolden,
    pollMs,
    onSwap: ({ version, epoch, loadMs }) => {
      options.metrics.swapped({ version, epoch, loadSeconds: loadMs / 1000 })
      options.onSwap?.({ version, loadMs })
    },
    onRejected: () => options.metrics.rejected(),
    logger: options.logger,
    now: Date.now,
  })

/** The models of all shadows. */
export const followShadows = (options: {
  config: Config
  parts: RegistryParts
  metrics: ShadowMetrics
  logger: Logger
}): LiveShadows =>
  createLiveShadows({
    store: options.parts.store,
    signal: options.parts.signal,
    loadScorer: loadFitting(options.config.task),
    verifyGolden,
    pollMs,
    onChange: ({ active, refused }) =>
      options.metrics.models({ active, refused: refused.map(({ version }) => version) }),
    logger: options.logger,
    now: Date.now,
  })
