import type { Instruments } from './instruments.ts'
import { shadowDefinitions } from './roles-catalogue.ts'

/** How far a shadow and the version in production agree on some events. */
export type ShadowComparison = {
  readonly modelVersion: string
  readonly productionVersion: string
  readonly rows: number
  readonly disagreements: number
  /** Sum over the rows of the mean absolute difference of the probabilities, or of the numbers' absolute difference. */
  readonly differences: number
}

export type ShadowMetrics = {
  /** Events that a shadow scored or refused, of batches that were committed. */
  readonly scored: (batch: { modelVersion: string; scored: number; refused: number }) => void
  readonly compared: (comparison: ShadowComparison) => void
  /** An event that could not be read; it is a dead letter of the role `score`. */
  readonly unread: (code: string) => void
  /** Replaces what is known of the shadows. */
  readonly models: (shadows: { active: readonly string[]; refused: readonly string[] }) => void
}

export const createShadowMetrics = (make: Instruments): ShadowMetrics => {
  const events = make.counter(shadowDefinitions.events)
  const compared = make.counter(shadowDefinitions.compared)
  const disagreements = make.counter(shadowDefinitions.disagreements)
  const differences = make.counter(shadowDefinitions.differences)
  const unread = make.counter(shadowDefinitions.unread)
  const models = make.gauge(shadowDefinitions.models)
  return {
    scored: ({ modelVersion: model_version, ...counts }) => {
      events.inc({ model_version, outcome: 'scored' }, counts.scored)
      events.inc({ model_version, outcome: 'refused' }, counts.refused)
    },
    compared: (found) => {
      const labels = { model_version: found.modelVersion, production_version: found.productionVersion }
      compared.inc(labels, found.rows)
      disagreements.inc(labels, found.disagreements)
      differences.inc(labels, found.differences)
    },
    unread: (code) => unread.inc({ code }),
    models: ({ active, refused }) => {
      models.reset()
      for (const model_version of active) models.set({ model_version, state: 'active' }, 1)
      for (const model_version of refused) models.set({ model_version, state: 'refused' }, 1)
    },
  }
}
