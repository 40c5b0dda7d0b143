import type { ShadowScores } from '../../../streams/shadow.ts'
import type { EventRows } from '../../event-rows.ts'
import type { BatchWriter } from '../../kafka/batch-stages.ts'
import type { PredictionWriter } from '../../kafka/serde/prediction-writer.ts'

/** What came of one batch for one shadow, for the metrics. */
export type ShadowSummary = {
  readonly modelVersion: string
  readonly scored: number
  readonly refused: number
  readonly against: ShadowScores['against']
}

/**
 * Writes the predictions of all shadows. An event that a shadow refuses is counted and has no dead letter: the role
 * `score` decides what becomes of an event.
 */
export const createShadowWriter = (writer: PredictionWriter): BatchWriter<EventRows, readonly ShadowScores[]> => {
  const noFailures = new Map()
  return {
    write: (rows, shadows, batch, sink) => {
      let outputs = 0
      for (const { scored } of shadows) outputs += writer.write(rows, scored, batch, sink).outputs
      return { outputs, failures: noFailures }
    },
  }
}

export const summariseShadows = (rows: EventRows, shadows: readonly ShadowScores[]): readonly ShadowSummary[] =>
  shadows.map(({ scored, against }) => ({
    modelVersion: scored.model.version,
    scored: rows.length - scored.refused.size,
    refused: scored.refused.size,
    against,
  }))
