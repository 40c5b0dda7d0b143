import type { TaskConfig } from '../config/task-schema.ts'
import type { Prediction } from '../events.ts'
import type { HistoryStore } from '../history/history-types.ts'
import type { ModelManifest } from '../models/manifest.ts'
import type { ActiveModel, RefreshResult } from '../registry/registry-types.ts'
import type { Logger } from '../telemetry/log.ts'
import type { ApiMetrics } from '../telemetry/metrics.ts'

/** What the ingress takes before it refuses, and how long it waits for others. */
export type IngressLimits = {
  /** Body of one instance. */
  readonly bodyBytes: number
  /** Body of an array of instances. */
  readonly batchBodyBytes: number
  readonly batchInstances: number
  readonly requestTimeoutMs: number
  /** How long a reply waits for its predictions to be published. */
  readonly publishTimeoutMs: number
  readonly probeTimeoutMs: number
  readonly probeCacheMs: number
  /** How long a reply waits for the history, for a reload or for the queue. */
  readonly storeTimeoutMs: number
}

export const defaultLimits: IngressLimits = {
  bodyBytes: 64 * 1024,
  batchBodyBytes: 1024 * 1024,
  batchInstances: 1000,
  requestTimeoutMs: 10_000,
  publishTimeoutMs: 10_000,
  probeTimeoutMs: 2000,
  probeCacheMs: 1000,
  storeTimeoutMs: 30_000,
}

/** What stands behind the ingress. */
export type Dependency =
  | 'kafka'
  | 'redis'
  /** The schema registry. */
  | 'registry'
  /** The artefact store with the models and their aliases. */
  | 'models'

/** Features and classes of a model, in its orders: those of its predictions. */
export type ModelNames = Pick<ModelManifest, 'features' | 'classes'>

export type IngressDeps = {
  readonly task: Pick<TaskConfig, 'task' | 'description' | 'features' | 'target' | 'accuracy'>
  /** Version of the product. */
  readonly version: string
  readonly currentModel: () => ActiveModel | null
  readonly refreshModel: (reason: string) => Promise<RefreshResult>
  /**
   * Writes a prediction to the predictions topic. Resolves when it is there to stay.
   * @param key key of the record: the event's id
   */
  readonly publish: (prediction: Prediction, key: string) => Promise<void>
  readonly history: Pick<HistoryStore, 'predictions' | 'liveAccuracy' | 'liveErrors'>
  /** What the values of a version's predictions are called; null where the version is not known any more. */
  readonly namesOf: (modelVersion: string) => Promise<ModelNames | null>
  readonly probes: Readonly<Record<Dependency, () => Promise<void>>>
  /** The BullMQ queue of the retraining jobs, to be looked at under /queues; null leaves the board out. */
  readonly queueBoard: { readonly queue: unknown; readonly readOnly?: boolean } | null
  readonly metrics: ApiMetrics
  readonly logger?: Logger
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** A new unique id, for requests and for events that come without one. */
  readonly newId: () => string
  readonly limits?: Partial<IngressLimits>
}
