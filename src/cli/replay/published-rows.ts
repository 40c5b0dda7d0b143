import type { ModelRole, Prediction } from '../../events.ts'
import type { RecordBatch } from '../../kafka/kafka-types.ts'
import { recordsOf } from '../../kafka/record-batch.ts'
import type { Codec } from '../../kafka/serde-types.ts'
import type { ScoredRow } from './read-rows.ts'

/**
 * Reads prediction records as rows: those of one role that came from the stream. Records that are no predictions are
 * left out; the role `record` writes their dead letters.
 */
export const predictionRowsOf =
  (codec: Codec<Prediction>, role: ModelRole) =>
  async (batch: RecordBatch): Promise<ScoredRow[]> => {
    const records = recordsOf(batch)
    await codec.prepare(records.map(({ value }) => value))
    const rows: ScoredRow[] = []
    for (const record of records) {
      const decoded = codec.decode(record.value, record)
      if (!decoded.ok) continue
      const { source_offset: offset, model_version: version, model_role, ...said } = decoded.value
      if (offset === null || model_role !== role) continue
      rows.push({ offset, version, prediction: said.prediction, probabilities: said.probabilities, value: said.value })
    }
    return rows
  }
