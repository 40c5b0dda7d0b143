import { describeError } from '../errors.ts'
import type { Logger } from '../telemetry/log.ts'
import { AliasContention, NothingToRollBack } from './registry-errors.ts'
import type { AliasMove, AliasResult, AliasState, ArtefactStore, Registry, SwapSignal } from './registry-types.ts'
import { findRollbackTarget } from './rollback-target.ts'

/** Each lost round is another process's success, so this many in a row mean that something is wrong. */
const maxRounds = 100

type Change = Omit<AliasMove, 'epoch' | 'previous' | 'at'>

/**
 * Moves aliases: writes the truth to the store, then announces it. A version is read and checked before it gets an
 * alias, so that no worker has to refuse it. An announcement that fails undoes nothing: workers also poll.
 */
export const createRegistry = ({
  store,
  signal,
  now,
  logger,
}: {
  store: ArtefactStore
  signal: SwapSignal
  now: () => number
  logger: Logger
}): Registry => {
  const announce = async (state: AliasState): Promise<void> => {
    try {
      await signal.announce(state)
    } catch (error) {
      logger.warn(
        { epoch: state.epoch },
        `the change stands but was not announced, workers find it by polling: ${describeError(error)}`,
      )
    }
  }

  const move = async (change: Change, expectedEpoch: number): Promise<AliasResult> => {
    const result = await store.setAlias({ ...change, at: now() }, expectedEpoch)
    if (result.status === 'set') {
      const { alias, version, actor, reason } = change
      logger.info({ alias, version, epoch: result.state.epoch, actor, reason }, 'alias moved')
      await announce(result.state)
    }
    return result
  }

  return {
    store,

    promote: async ({ expectedEpoch, ...change }) => {
      await store.readVersion(change.version)
      if (expectedEpoch !== undefined) return move(change, expectedEpoch)
      let { epoch } = await store.readAliases()
      for (let round = 0; round < maxRounds; round += 1) {
        const result = await move(change, epoch)
        if (result.status === 'set') return result
        epoch = result.state.epoch
      }
      throw new AliasContention(`the aliases moved ${maxRounds} times while ${change.alias} was to be set: try again`)
    },

    rollback: async (change) => {
      let state = await store.readAliases()
      const leaving = state.aliases.production
      for (let round = 0; round < maxRounds; round += 1) {
        const target = findRollbackTarget(state)
        if (target === null) {
          throw new NothingToRollBack(
            `production is ${leaving ?? 'not set'} and no earlier version is left to go back to: use "driftline models promote"`,
          )
        }
        await store.readVersion(target.version)
        const result = await move({ ...change, alias: 'production', ...target }, state.epoch)
        // Another alias moved: try again. Production itself moved: what was to be left is left already.
        if (result.status === 'set' || result.state.aliases.production !== leaving) return result
        state = result.state
      }
      throw new AliasContention(`the aliases moved ${maxRounds} times during the rollback: try again`)
    },

    changeShadow: async (wanted) => {
      const { change, version, actor, reason } = wanted
      // One that is to go may be damaged: that is a reason to remove it.
      if (change === 'added') await store.readVersion(version)
      let state = await store.readAliases()
      for (let round = 0; round < maxRounds; round += 1) {
        if (state.shadows.includes(version) === (change === 'added')) return { status: 'unchanged', state }
        const result = await store.setShadow({ ...wanted, at: now() }, state.epoch)
        state = result.state
        if (result.status === 'conflict') continue
        logger.info({ version, epoch: state.epoch, actor, reason }, `shadow ${change}`)
        await announce(state)
        return result
      }
      throw new AliasContention(`the aliases moved ${maxRounds} times while shadow ${version} was to be ${change}`)
    },
  }
}
