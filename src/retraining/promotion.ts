import type { PromotionMetric } from '../config/task-schema.ts'
import { figuresOf } from '../models/headline.ts'
import type { Evaluation } from '../models/manifest.ts'

/** @throws TypeError for a metric of another kind of model, a mistake in code */
export const figureOf = (evaluation: Evaluation, metric: PromotionMetric): number => {
  const value = figuresOf(evaluation)[metric]
  if (value === undefined) throw new TypeError(`a ${evaluation.kind} has no ${metric}`)
  return value
}

export type PromotionDecision = { promote: boolean; reason: string }

/** What of a promotion the task decides. */
export type PromotionRule = {
  readonly metric: PromotionMetric
  /** Least gain: a difference of the metric, of `rmse` a share of the champion's. */
  readonly minImprovement: number
  /** The p-value has to be below it; 1 asks for no test. */
  readonly alpha: number
}

/** Differences below this are rounding: 0.95 - 0.93 is a little more than 0.02 in binary. */
const rounding = 1e-9

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

const shares: readonly PromotionMetric[] = ['accuracy', 'macro_f1']

const show = (metric: PromotionMetric, value: number): string =>
  shares.includes(metric) ? percent(value) : String(Number(value.toPrecision(4)))

/** How much better the challenger is; an error is better when it is less. */
const gainOf = (metric: PromotionMetric, champion: number, challenger: number): number => {
  if (metric !== 'rmse') return challenger - champion
  return champion === 0 ? 0 : (champion - challenger) / champion
}

const ruleText = ({ metric, minImprovement, alpha }: PromotionRule): string => {
  const least = metric === 'r2' ? String(minImprovement) : percent(minImprovement)
  return `more than ${least} better${alpha < 1 ? ` with p below ${alpha}` : ''}`
}

/**
 * Whether a new model replaces the present one: on the same rows it has to be better by more than `minImprovement`, and
 * by more than chance gives models that are equally good.
 * @param champion how the present model did; null where there is none, or one of another task, which any model replaces
 * @param pValue of the paired test that the challenger is no better; null where none was made
 */
export const decidePromotion = (
  options: PromotionRule & { champion: Evaluation | null; challenger: Evaluation; pValue: number | null },
): PromotionDecision => {
  const { champion, challenger, metric, minImprovement, alpha, pValue } = options
  if (champion === null) return { promote: true, reason: 'production names no model that could be compared' }
  const [before, after] = [figureOf(champion, metric), figureOf(challenger, metric)]
  const sure = alpha >= 1 || (pValue !== null && pValue < alpha)
  const promote = gainOf(metric, before, after) > minImprovement + rounding && sure
  const p = pValue === null ? '' : ` (p ${pValue.toPrecision(2)})`
  const found = `${metric} ${show(metric, after)} against ${show(metric, before)} on ${challenger.rows} held-out rows${p}`
  return { promote, reason: promote ? `${found}: ${ruleText(options)}` : `${found}: not ${ruleText(options)}` }
}
