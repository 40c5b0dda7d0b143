import type { Instruments } from './instruments.ts'
import { scoringDefinitions } from './stream-catalogue.ts'

/** What a batch of feature events goes through, in this order. */
export type ScoringStage = 'fetch' | 'decode' | 'score' | 'encode' | 'commit'

export type ScoringMetrics = {
  /** Time that one batch spent in a stage. */
  readonly stage: (stage: ScoringStage, seconds: number) => void
  /** Predictions that were committed. `byClass` holds counts by class name. */
  readonly scored: (batch: { modelVersion: string; byClass: ReadonlyMap<string, number> }) => void
  /** Scored events whose category the model did not know, by feature. */
  readonly unknownCategories: (byFeature: ReadonlyMap<string, number>) => void
  /** Dead letters that were committed. */
  readonly deadLettered: (code: string, count?: number) => void
  /** From an event record's timestamp to its committed prediction. Clocks may differ: below 0 counts as 0. */
  readonly eventLatency: (seconds: number) => void
  /** The same from `event_time`, which the producer of the event gave. */
  readonly eventTimeLatency: (seconds: number) => void
  /** From the news of a model, or the first event after it, to the first committed prediction by it. */
  readonly swapped: (seconds: number) => void
}

export const createScoringMetrics = (make: Instruments): ScoringMetrics => {
  const events = make.counter(scoringDefinitions.events)
  const deadLetters = make.counter(scoringDefinitions.deadLetters)
  const predictions = make.counter(scoringDefinitions.predictions)
  const unknownCategories = make.counter(scoringDefinitions.unknownCategories)
  const stages = make.histogram(scoringDefinitions.stageSeconds)
  const latency = make.histogram(scoringDefinitions.eventLatencySeconds)
  const eventTimeLatency = make.histogram(scoringDefinitions.eventTimeLatencySeconds)
  const swaps = make.histogram(scoringDefinitions.swapSeconds)
  events.inc({ outcome: 'scored' }, 0)
  events.inc({ outcome: 'dead_lettered' }, 0)
  return {
    stage: (stage, seconds) => stages.observe({ stage }, seconds),
    scored: ({ modelVersion, byClass }) => {
      let total = 0
      for (const [name, count] of byClass) {
        predictions.inc({ class: name, model_version: modelVersion }, count)
        total += count
      }
      events.inc({ outcome: 'scored' }, total)
    },
    unknownCategories: (byFeature) => {
      for (const [feature, count] of byFeature) unknownCategories.inc({ feature }, count)
    },
    deadLettered: (code, count = 1) => {
      deadLetters.inc({ code }, count)
      events.inc({ outcome: 'dead_lettered' }, count)
    },
    eventLatency: (seconds) => latency.observe(Math.max(0, seconds)),
    eventTimeLatency: (seconds) => eventTimeLatency.observe(Math.max(0, seconds)),
    swapped: (seconds) => swaps.observe(seconds),
  }
}
