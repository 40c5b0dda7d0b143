import type { TargetConfig } from '../../config/task-schema.ts'
import { readDecimal } from '../../features/decimal.ts'
import { scoreNumbers } from '../../models/metrics/number-scores.ts'
import type { Tally } from './tally.ts'

/** What the predictions of a story are measured by. */
export type StoryMetric = 'accuracy' | 'r2'

export const storyMetricOf = (target: TargetConfig): StoryMetric =>
  target.type === 'classification' ? 'accuracy' : 'r2'

/** How the predictions did: before the shift, between the shift and the swap, by the new model. */
export type StoryFigures = {
  readonly metric: StoryMetric
  readonly before: number | null
  readonly during: number | null
  readonly after: number | null
}

/** What the story ends with. */
export type StoryResult = Tally & {
  /** Number of the last event that the alarm had seen, counted from 1; null without an alarm. */
  drift_detected_at_event: number | null
  /** Number of the first shifted event. */
  drift_injected_at_event: number
  retrain_job_id: string | null
  /** What production named, in order. */
  versions: string[]
  /** From the promotion to the last flip of a role. */
  swap_ms: number | null
  figures: StoryFigures
  seconds: number
}

/** The last line of `driftline start --once`: the figures are named by their metric. */
export type PrintedStory = Omit<StoryResult, 'figures'> & {
  [figure in `${StoryMetric}_${'before' | 'during' | 'after'}`]?: number | null
}

export const printableStory = ({ figures, seconds, ...rest }: StoryResult): PrintedStory => {
  const { metric, before, during, after } = figures
  return { ...rest, [`${metric}_before`]: before, [`${metric}_during`]: during, [`${metric}_after`]: after, seconds }
}

/** A labelled prediction of the story. */
export type StoryOutcome = {
  readonly event: number
  readonly modelVersion: string
  readonly label: string
  readonly prediction: string
}

const figureOf = (metric: StoryMetric, outcomes: readonly StoryOutcome[]): number | null => {
  if (outcomes.length === 0) return null
  const value =
    metric === 'accuracy'
      ? outcomes.filter(({ label, prediction }) => label === prediction).length / outcomes.length
      : scoreNumbers(
          Float64Array.from(outcomes, ({ prediction }) => readDecimal(prediction)),
          Float64Array.from(outcomes, ({ label }) => readDecimal(label)),
        ).r2
  return Math.round(value * 10_000) / 10_000
}

/** Splits the story's labelled predictions at the shift and at the swap. */
export const figuresByPhase = (
  metric: StoryMetric,
  outcomes: readonly StoryOutcome[],
  options: { injectedAt: number; baseVersion: string; newVersion: string | null },
): StoryFigures => {
  const figure = (chosen: (outcome: StoryOutcome) => boolean): number | null =>
    figureOf(metric, outcomes.filter(chosen))
  const { injectedAt, baseVersion, newVersion } = options
  return {
    metric,
    before: figure(({ event }) => event < injectedAt),
    during: figure(({ event, modelVersion }) => event >= injectedAt && modelVersion === baseVersion),
    after: figure(({ event, modelVersion }) => event >= injectedAt && modelVersion === newVersion),
  }
}

/** What is wrong with a result, a sentence each; empty where the story ended well. */
export const problemsOf = (result: StoryResult, limits: { accuracyTolerance: number; finished: boolean }): string[] => {
  const { lost, duplicated, figures } = result
  const { metric, before, after } = figures
  const problems: string[] = []
  if (!limits.finished) problems.push('the story gave up: it took more events than its plan allows')
  if (lost > 0) problems.push(`${lost} events came out nowhere`)
  if (duplicated > 0) problems.push(`${duplicated} outputs are there more than once`)
  if (after === null) problems.push('no new model took over')
  else if (before === null || after < before - limits.accuracyTolerance) {
    problems.push(`the ${metric} did not recover: ${before ?? 'unknown'} before, ${after} after`)
  }
  return problems
}

/**
 * What is worth telling of a result that is no failure. Events are numbered as they were sent; after a pause of the
 * workers the partitions are read one after another, and an alarm then comes at a higher number.
 */
export const remarksOn = (result: StoryResult, limits: { windowRows: number; windows: number }): string[] => {
  const { drift_detected_at_event: detected, drift_injected_at_event: injected } = result
  if (detected === null) return ['the drift was not detected']
  if (detected < injected) return ['an alarm was raised before there was drift']
  const late = detected - injected > limits.windows * limits.windowRows
  return late
    ? [`the drift was detected ${detected - injected} events after it began, later than ${limits.windows} windows`]
    : []
}
