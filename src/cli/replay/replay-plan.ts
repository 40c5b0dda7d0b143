import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { hasCode } from '../../registry/durable-files.ts'
import { ReplayRefused } from './replay-errors.ts'
import type { OffsetRanges } from './replay-range.ts'

/** What was asked for, as it was typed. */
export type ReplayAsked = { readonly from: string; readonly to: string; readonly model: string }

/**
 * What a replay into a topic does, worked out once: a replay that was ended midway goes on with the same offsets and
 * the same version, whatever `-2h` or `production` would mean by then.
 */
export type ReplayPlan = {
  readonly asked: ReplayAsked
  readonly version: string
  /** What `from` meant, ms since the epoch; null for the start of the log. */
  readonly fromMs: number | null
  /** The consumer group that keeps the position. */
  readonly group: string
  readonly ranges: OffsetRanges
}

/** The plans of a task, one for each topic that was replayed into. */
export type ReplayPlans = {
  readonly read: (topic: string) => Promise<ReplayPlan | null>
  readonly write: (topic: string, plan: ReplayPlan) => Promise<void>
  /** Where the plan of a topic stands. */
  readonly fileOf: (topic: string) => string
}

type StoredPlan = Omit<ReplayPlan, 'ranges'> & { ranges: { partition: number; from: string; to: string }[] }

const encode = ({ ranges, ...plan }: ReplayPlan): string => {
  const stored: StoredPlan = {
    ...plan,
    ranges: [...ranges].map(([partition, { from, to }]) => ({ partition, from: String(from), to: String(to) })),
  }
  return `${JSON.stringify(stored, null, 2)}\n`
}

const decode = (text: string): ReplayPlan => {
  const { ranges, ...plan } = JSON.parse(text) as StoredPlan
  return {
    ...plan,
    ranges: new Map(ranges.map(({ partition, from, to }) => [partition, { from: BigInt(from), to: BigInt(to) }])),
  }
}

/** @param folder where the plans are kept */
export const createReplayPlans = (folder: string): ReplayPlans => {
  const fileOf = (topic: string): string => join(folder, `${topic}.json`)
  return {
    fileOf,
    read: async (topic) => {
      const file = fileOf(topic)
      try {
        return decode(await readFile(file, 'utf8'))
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return null
        if (error instanceof SyntaxError || error instanceof TypeError) {
          throw new ReplayRefused(`${file}, what the replay into ${topic} was to do, is damaged: name another topic`)
        }
        throw error
      }
    },
    write: async (topic, plan) => {
      const file = fileOf(topic)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(`${file}.tmp`, encode(plan))
      await rename(`${file}.tmp`, file)
    },
  }
}
