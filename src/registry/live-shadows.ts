import { describeError } from '../errors.ts'
import type { Logger } from '../telemetry/log.ts'
import { createModelLoader, type LoadResult, type LoadScorer, type VerifyGolden } from './model-loader.ts'
import type { ActiveModel, ArtefactStore, SwapSignal } from './registry-types.ts'
import { createSingleFlight } from './single-flight.ts'

export type RefusedShadow = { readonly version: string; readonly code: string; readonly reason: string }

/** What changed among the shadows at one look. */
export type ShadowsNotice = {
  readonly epoch: number
  readonly active: readonly string[]
  readonly refused: readonly RefusedShadow[]
}

export type LiveShadowsOptions = {
  readonly store: ArtefactStore
  readonly signal: Pick<SwapSignal, 'subscribe'>
  readonly loadScorer: LoadScorer
  readonly verifyGolden: VerifyGolden
  /** How often the store is read, whether news came or not. */
  readonly pollMs: number
  /** Every how many polls a version that was refused for good is tried again: its files may have been mended. */
  readonly retryEveryPolls?: number
  /** Told when a shadow was loaded, refused or let go. */
  readonly onChange?: (notice: ShadowsNotice) => void
  readonly logger: Logger
  /** ms since the epoch */
  readonly now: () => number
}

/** Holds the models of all shadows; see `createLiveShadows`. */
export type LiveShadows = {
  /** The shadows to score the next batch with, in the order in which they joined; the same array until one changes. */
  readonly current: () => readonly ActiveModel[]
  readonly refused: () => readonly RefusedShadow[]
  /** Reads the aliases now and loads what they name. */
  readonly refresh: () => Promise<void>
  readonly start: () => Promise<void>
  readonly stop: () => Promise<void>
}

type Refused = RefusedShadow & { readonly final: boolean }

const namesOf = (models: readonly ActiveModel[]): string => models.map(({ version }) => version).join()

const faultsOf = (refused: ReadonlyMap<string, Refused>): string =>
  [...refused.values()].map(({ version, code }) => `${version} ${code}`).join()

/**
 * Follows the shadows of the aliases: loads each version, checks and warms it, and then changes one reference, so that
 * a batch that has begun keeps its models. A version that fails a check is reported and left out; the others score on.
 *
 * The store is read with every poll; news only hasten the next look. An older epoch is never followed.
 */
export const createLiveShadows = (options: LiveShadowsOptions): LiveShadows => {
  const { store, signal, logger, now, pollMs, retryEveryPolls = 10 } = options
  const load = createModelLoader(options)

  let active: readonly ActiveModel[] = []
  let refused: ReadonlyMap<string, Refused> = new Map()
  let followedEpoch = 0
  let stopped = false
  let trouble: string | null = null

  const reject = (version: string, result: Extract<LoadResult, { status: 'refused' }>): Refused => {
    const { code, reason, final } = result
    if (refused.get(version)?.code !== code) {
      logger.error({ version, code }, `shadow refused, the others score on without it: ${reason}`)
    }
    return { version, code, reason, final }
  }

  const tell = (notice: ShadowsNotice): void => {
    try {
      options.onChange?.(notice)
    } catch (error) {
      logger.error({ err: error }, 'an observer of the shadows failed')
    }
  }

  const follow = async (_reason: string, retryRefused: boolean): Promise<void> => {
    const { epoch, shadows } = await store.readAliases()
    if (epoch < followedEpoch) return
    const next: ActiveModel[] = []
    const left = new Map<string, Refused>()
    for (const version of shadows) {
      const held = active.find((model) => model.version === version)
      const known = refused.get(version)
      if (held !== undefined) next.push(held)
      else if (known?.final === true && !retryRefused) left.set(version, known)
      else {
        const result = await load(version)
        if (result.status === 'refused') left.set(version, reject(version, result))
        else next.push({ version, epoch, scorer: result.scorer, manifest: result.manifest, loadedAt: now() })
      }
    }
    const changed = namesOf(next) !== namesOf(active) || faultsOf(left) !== faultsOf(refused)
    followedEpoch = epoch
    refused = left
    if (!changed) return
    active = next
    const notice = { epoch, active: next.map(({ version }) => version), refused: [...left.values()] }
    logger.info({ epoch, active: notice.active, refused: notice.refused.map(({ version }) => version) }, 'shadows')
    tell(notice)
  }

  const flight = createSingleFlight(follow)

  /** Runs a look that nobody waits for: its failure is logged once, until it works again. */
  const look = async (reason: string, retryRefused: boolean): Promise<void> => {
    try {
      await flight.request(reason, retryRefused)
      if (trouble !== null) logger.info('the shadows can be read again')
      trouble = null
    } catch (error) {
      const text = describeError(error)
      if (trouble !== text) logger.warn(`cannot follow the shadows: ${text}`)
      trouble = text
    }
  }

  let timer: NodeJS.Timeout | undefined
  let polls = 0
  let polling: Promise<void> = Promise.resolve()
  const pollLater = (): void => {
    timer = setTimeout(() => {
      polls += 1
      polling = look('poll', polls % retryEveryPolls === 0).then(() => {
        if (!stopped) pollLater()
      })
    }, pollMs)
  }

  return {
    current: () => active,
    refused: () => [...refused.values()],
    refresh: async () => {
      await flight.request('asked', true)
    },
    start: async () => {
      const onNews = (): void => {
        if (!stopped) void look('signal', false)
      }
      const listening = signal.subscribe(onNews).catch((error: unknown) => logger.warn(describeError(error)))
      await Promise.all([listening, look('start', false)])
      if (!stopped) pollLater()
    },
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await Promise.all([polling, flight.settled()])
    },
  }
}
