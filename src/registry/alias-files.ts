import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeError } from '../errors.ts'
import type { Logger } from '../telemetry/log.ts'
import { publishFile, syncFolder, writeDurably } from './durable-files.ts'
import { AliasesCorrupt } from './registry-errors.ts'
import type { AliasChange, AliasMove, AliasName, AliasResult, AliasState, ShadowChange } from './registry-types.ts'
import { isVersionNumber, type StoreLayout } from './store-layout.ts'

const aliasNames: readonly string[] = ['production', 'staging', 'candidate'] satisfies AliasName[]

/** What one file holds: the aliases and shadows at its epoch, and the change that led there. */
type AliasRecord = Omit<AliasState, 'history'> & { change: AliasChange }

/**
 * The aliases of a folder store: one immutable file per epoch, `aliases/<epoch>.json`; the highest epoch counts.
 * To move an alias is to be the one that creates the next epoch's file. The file system lets only one do that, so
 * there is no lock that a killed process could leave behind or that two could believe to hold.
 */
export type AliasFiles = {
  read: () => Promise<AliasState>
  set: (change: Omit<AliasMove, 'epoch' | 'previous'>, expectedEpoch: number) => Promise<AliasResult>
  setShadow: (change: Omit<ShadowChange, 'epoch' | 'alias' | 'previous'>, expectedEpoch: number) => Promise<AliasResult>
}

/** Whether the state shows what the change says. */
const shows = ({ aliases, shadows }: Omit<AliasRecord, 'change'>, change: AliasChange): boolean =>
  change.alias === 'shadow'
    ? shadows.includes(change.version) === (change.change === 'added')
    : aliases[change.alias] === change.version

const parseRecord = (text: string, epoch: number): AliasRecord => {
  // A record that was written before there were shadows names none.
  const { epoch: named, aliases, shadows = [], change } = JSON.parse(text) as AliasRecord
  const valid =
    named === epoch &&
    change.epoch === epoch &&
    Object.entries(aliases).every(([alias, version]) => aliasNames.includes(alias) && isVersionNumber(version)) &&
    shadows.every(isVersionNumber) &&
    shows({ epoch, aliases, shadows }, change)
  if (!valid) throw new Error('it is not the record of that epoch')
  return { epoch, aliases, shadows, change }
}

export const createAliasFiles = ({
  layout,
  logger,
}: {
  layout: StoreLayout
  logger: Logger | undefined
}): AliasFiles => {
  // The files never change, so each is read once; a worker polls this often.
  const known = new Map<number, AliasRecord>()
  const reportedAsDamaged = new Set<number>()

  const readRecord = async (epoch: number): Promise<AliasRecord> => {
    const found = known.get(epoch)
    if (found !== undefined) return found
    const path = await layout.inside(join(layout.aliases, `${epoch}.json`))
    const text = await readFile(path, 'utf8')
    try {
      const record = parseRecord(text, epoch)
      known.set(epoch, record)
      return record
    } catch (cause) {
      throw new AliasesCorrupt(`${path} is damaged: restore it from a copy; workers keep the model that they have`, {
        cause,
      })
    }
  }

  const read = async (): Promise<AliasState> => {
    const epochs = await layout.numbered(layout.aliases, '.json')
    const newest = epochs.at(-1)
    // A store that was set back to an older copy: what we remember of it is another story.
    if ([...known.keys()].some((epoch) => epoch > (newest ?? 0))) known.clear()
    if (newest === undefined) return { epoch: 0, aliases: {}, shadows: [], history: [] }
    // The newest file alone says what serves: if it cannot be read, an older one is no substitute.
    const { epoch, aliases, shadows } = await readRecord(newest)
    const history: AliasChange[] = []
    for (const past of epochs) {
      try {
        history.push((await readRecord(past)).change)
      } catch (error) {
        if (!(error instanceof AliasesCorrupt)) throw error
        if (reportedAsDamaged.has(past)) continue
        reportedAsDamaged.add(past)
        logger?.error({ epoch: past, code: error.code }, `left out of the history: ${describeError(error)}`)
      }
    }
    return { epoch, aliases: { ...aliases }, shadows: [...shadows], history }
  }

  /** Creates the record of the next epoch, if the present one is the expected one. */
  const advance = async (
    expectedEpoch: number,
    next: (state: AliasState, epoch: number) => Omit<AliasRecord, 'epoch'>,
  ): Promise<AliasResult> => {
    const state = await read()
    if (state.epoch !== expectedEpoch) return { status: 'conflict', state }
    const epoch = expectedEpoch + 1
    const { aliases, shadows, change } = next(state, epoch)
    await layout.prepare()
    const temporary = layout.temporary()
    const record: AliasRecord = { epoch, aliases, shadows, change }
    await writeDurably(temporary, `${JSON.stringify(record, null, 2)}\n`)
    const won = await publishFile(temporary, join(layout.aliases, `${epoch}.json`))
    await syncFolder(layout.aliases)
    if (!won) return { status: 'conflict', state: await read() }
    // The state that this change made, even where somebody has gone on from it already.
    return { status: 'set', state: { epoch, aliases, shadows, history: [...state.history, change] } }
  }

  return {
    read,

    set: (change, expectedEpoch) =>
      advance(expectedEpoch, ({ aliases, shadows }, epoch) => ({
        aliases: { ...aliases, [change.alias]: change.version },
        shadows,
        change: { ...change, epoch, previous: aliases[change.alias] ?? null },
      })),

    setShadow: (change, expectedEpoch) =>
      advance(expectedEpoch, ({ aliases, shadows }, epoch) => {
        const others = shadows.filter((version) => version !== change.version)
        return {
          aliases,
          shadows: change.change === 'added' ? [...others, change.version] : others,
          change: { alias: 'shadow', ...change, epoch, previous: null },
        }
      }),
  }
}
