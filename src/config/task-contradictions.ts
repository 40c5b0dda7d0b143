import { type Contradiction, featureContradictions, repeated, targetContradictions } from './input-contradictions.ts'
import type { PromotionMetric, TaskInput } from './task-schema.ts'

export type { Contradiction } from './input-contradictions.ts'

/** What models of each kind may be compared by; the first one is the default. */
export const promotionMetrics = {
  classification: ['accuracy', 'macro_f1'],
  regression: ['r2', 'rmse'],
} as const satisfies Record<string, readonly PromotionMetric[]>

/** What a schema cannot say: rules across several keys. Empty where the task makes sense. */
export const taskContradictions = (task: TaskInput): Contradiction[] => {
  const featureNames = task.features.map((feature) => feature.name)
  const found = [...featureContradictions(task.features), ...targetContradictions(task.target, featureNames)]
  const metrics: readonly PromotionMetric[] = promotionMetrics[task.target.type]
  if (task.promotion.metric !== undefined && !metrics.includes(task.promotion.metric)) {
    found.push({
      path: ['promotion', 'metric'],
      message: `is "${task.promotion.metric}"; for a ${task.target.type} it has to be ${metrics.join(' or ')}`,
    })
  }
  for (const index of repeated(task.training.candidates.map((candidate) => candidate.name))) {
    found.push({
      path: ['training', 'candidates', index, 'name'],
      message: 'stands twice; each candidate needs its own name',
    })
  }
  if (task.stream.transactionTimeoutMs >= task.stream.sessionTimeoutMs) {
    found.push({
      path: ['stream', 'transactionTimeoutMs'],
      message: `has to be below sessionTimeoutMs (${task.stream.sessionTimeoutMs}), or a worker that lost its partitions could still commit`,
    })
  }
  if (task.retraining.minLabels > task.retraining.recentLabels) {
    found.push({
      path: ['retraining', 'minLabels'],
      message: `has to be at most recentLabels (${task.retraining.recentLabels}), or no job could ever have enough`,
    })
  }
  if (task.story !== undefined && task.story.maxEvents <= task.story.normalEvents + task.story.recoveryEvents) {
    found.push({
      path: ['story', 'maxEvents'],
      message: `has to be above normalEvents and recoveryEvents together, or the story could never end well`,
    })
  }
  for (const name of Object.keys(task.story?.shift ?? {})) {
    if (!featureNames.includes(name)) {
      found.push({
        path: ['story', 'shift', name],
        message: `is no feature; the features are ${featureNames.join(', ')}`,
      })
    } else if (task.features.find((feature) => feature.name === name)?.type === 'category') {
      found.push({ path: ['story', 'shift', name], message: 'is a category, to which nothing can be added' })
    }
  }
  return found
}
