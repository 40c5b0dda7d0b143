import { standardDeviation } from 'simple-statistics'
import type { FeatureSpec } from '../../features/feature-spec.ts'

/** One row: its values by feature, null where missing, and its class or number. */
export type StoryRow = { values: Record<string, number | string | null>; label: string }

export type StorySource = {
  /** The next event's features and its truth; `shifted`: as the recalibrated instrument reads them. */
  next: (shifted: boolean) => StoryRow
}

/**
 * Draws events from the rows of a dataset: a random row with a little noise. Categories stay what they are.
 * @param options.jitterSd noise per feature, as a share of the feature's standard deviation
 * @param options.shift what the instrument adds after its recalibration, by feature
 * @param options.random uniform in [0, 1), seeded by the caller
 */
export const createStorySource = (options: {
  features: readonly FeatureSpec[]
  rows: readonly StoryRow[]
  jitterSd: number
  shift: Readonly<Record<string, number>>
  random: () => number
}): StorySource => {
  const { features, rows, jitterSd, shift, random } = options
  const noise = features.map(({ name }) => {
    const known = rows.map((row) => row.values[name]).filter((value) => typeof value === 'number')
    return known.length === 0 ? 0 : jitterSd * standardDeviation(known)
  })
  // Box-Muller; 1 - u keeps the logarithm finite.
  const gaussian = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const within = (value: number, range: readonly [number, number] | undefined): number =>
    range === undefined ? value : Math.min(range[1], Math.max(range[0], value))

  return {
    next: (shifted) => {
      const row = rows[Math.floor(random() * rows.length)] as StoryRow
      const values = features.map((feature, index) => {
        const { name } = feature
        const value = row.values[name] ?? null
        if (typeof value !== 'number' || feature.type === 'category') return [name, value] as const
        const read = value + (noise[index] ?? 0) * gaussian() + (shifted ? (shift[name] ?? 0) : 0)
        return [name, within(read, feature.range)] as const
      })
      return { values: Object.fromEntries(values), label: row.label }
    },
  }
}
