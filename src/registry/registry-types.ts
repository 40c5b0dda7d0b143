import type { ModelArtefact, ModelManifest, RunRecord } from '../models/manifest.ts'
import type { Scorer } from '../models/scorer.ts'

/** The names that serve. A version is immutable; an alias moves. */
export type AliasName = 'production' | 'staging' | 'candidate'

export type AliasMove = {
  epoch: number
  alias: AliasName
  version: string
  previous: string | null
  actor: string
  reason: string
  at: number
  /** The epoch of the change to the same alias that this one takes back; only a rollback has it. */
  undoes?: number
}

/** A version that joined the shadows or left them. */
export type ShadowChange = {
  epoch: number
  alias: 'shadow'
  change: 'added' | 'removed'
  version: string
  /** A list has no version before it. */
  previous: null
  actor: string
  reason: string
  at: number
}

export type AliasChange = AliasMove | ShadowChange

/** All aliases of a task at one epoch. The epoch grows by one with every change and never shrinks. */
export type AliasState = {
  epoch: number
  aliases: Partial<Record<AliasName, string>>
  /** The versions that score every event beside production, for comparison only; in the order in which they joined. */
  shadows: string[]
  /** Oldest first. */
  history: AliasChange[]
}

export type VersionSummary = { version: string; manifest: ModelManifest; run: RunRecord }

export type AliasResult =
  | { status: 'set'; state: AliasState }
  /** Somebody moved an alias since `expectedEpoch`; nothing was changed. */
  | { status: 'conflict'; state: AliasState }

export type ShadowResult =
  | { status: 'set'; state: AliasState }
  /** The version is a shadow already, or is none: there was nothing to change. */
  | { status: 'unchanged'; state: AliasState }

/** Where models live for good: the truth. A folder now; every implementation passes the same contract suite. */
export type ArtefactStore = {
  /** Adds a version and returns its number; safe against another process that adds one at the same time. */
  addVersion: (artefact: ModelArtefact, run: RunRecord) => Promise<string>
  /** @throws VersionNotFound (also for what is no version number), ArtefactCorrupt (digest or size differ) */
  readVersion: (version: string) => Promise<ModelArtefact>
  /** Oldest first. A version whose manifest or run is damaged is logged and left out. */
  listVersions: () => Promise<VersionSummary[]>
  /** Epoch 0 and no aliases where nothing was promoted yet. */
  readAliases: () => Promise<AliasState>
  /** Moves one alias if the epoch is still the expected one. @throws VersionNotFound */
  setAlias: (change: Omit<AliasMove, 'epoch' | 'previous'>, expectedEpoch: number) => Promise<AliasResult>
  /**
   * Adds a version to the shadows or takes it out, if the epoch is still the expected one.
   * @throws VersionNotFound for one that is to be added; one that is gone from the store can still be removed
   */
  setShadow: (change: Omit<ShadowChange, 'epoch' | 'alias' | 'previous'>, expectedEpoch: number) => Promise<AliasResult>
}

/** Carries the news that the aliases changed; it may lose any message and all of its memory. */
export type SwapSignal = {
  /** Copies the state to Redis unless a newer one is there, and publishes the epoch. */
  announce: (state: AliasState) => Promise<void>
  /** The copied epoch, or null where Redis holds none (it was emptied). Throws while Redis cannot be reached. */
  readEpoch: () => Promise<number | null>
  /** Calls back on each message and after each reconnect; a call means "read again", nothing more. */
  subscribe: (onNews: () => void) => Promise<void>
  /** Tells which version an instance runs. */
  acknowledge: (ack: WorkerAck) => Promise<void>
  /** The acknowledgements that have not expired. */
  acknowledgements: () => Promise<WorkerAck[]>
  close: () => Promise<void>
}

export type WorkerAck = {
  instance: string
  role: string
  version: string
  epoch: number
  /** When it flipped to this version, ms since the epoch. */
  flippedAt: number
}

/** The model that serves now. One object per flip: whoever holds it keeps a consistent model. */
export type ActiveModel = {
  readonly version: string
  readonly epoch: number
  readonly scorer: Scorer
  readonly manifest: ModelManifest
  readonly loadedAt: number
}

export type RefreshResult =
  | { status: 'unchanged'; version: string | null }
  | { status: 'swapped'; version: string; previous: string | null; loadMs: number }
  | { status: 'rejected'; version: string; code: string; reason: string }

/** Follows the alias `production` and holds the model; see `createLiveModel`. */
export type LiveModel = {
  /** The model to score the next batch with, or null while there is none. */
  current: () => ActiveModel | null
  /** Reads the aliases now and swaps if they name another version. */
  refresh: (reason: string) => Promise<RefreshResult>
  start: () => Promise<void>
  stop: () => Promise<void>
}

/** The registry as commands and jobs use it: the store as truth, the signal as messenger. */
export type Registry = {
  store: ArtefactStore
  /** Moves an alias and announces it. `expectedEpoch` fences a slow caller; without it the present epoch is read. */
  promote: (change: {
    alias: AliasName
    version: string
    actor: string
    reason: string
    expectedEpoch?: number
  }) => Promise<AliasResult>
  /**
   * Sets production back to the version it named before; a second rollback goes one further back.
   * @throws NothingToRollBack
   */
  rollback: (change: { actor: string; reason: string }) => Promise<AliasResult>
  /**
   * Adds a version to the shadows or removes it, and announces it.
   * @throws VersionNotFound, ArtefactCorrupt for a version that is to be added and could not be loaded
   */
  changeShadow: (change: {
    change: ShadowChange['change']
    version: string
    actor: string
    reason: string
  }) => Promise<ShadowResult>
}
