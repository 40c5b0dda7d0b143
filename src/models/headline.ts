import type { ModelKind } from './candidate.ts'
import type { Evaluation } from './manifest.ts'

/** What models of a kind are compared by. */
export const headlineMetric = (kind: ModelKind): 'accuracy' | 'r2' => (kind === 'classification' ? 'accuracy' : 'r2')

/** The one figure that models of a kind are compared by: the accuracy of classes, the R2 of numbers. Greater is better. */
export const headlineOf = (evaluation: Evaluation): { metric: 'accuracy' | 'r2'; value: number } =>
  evaluation.kind === 'classification'
    ? { metric: 'accuracy', value: evaluation.accuracy }
    : { metric: 'r2', value: evaluation.r2 }

/** All figures of an evaluation that are single numbers, by name. */
export const figuresOf = (evaluation: Evaluation): Record<string, number> => {
  const { kind: _, ...rest } = evaluation
  const numbers = Object.entries(rest).filter((entry): entry is [string, number] => typeof entry[1] === 'number')
  return Object.fromEntries(numbers)
}
