import type { EventRows, ScoredRows } from '../../event-rows.ts'
import type { BatchReader } from '../../kafka/batch-stages.ts'
import type { RecordBatch } from '../../kafka/kafka-types.ts'
import type { ScoredRow } from './read-rows.ts'

const rowOf = ({ rows, model, outputs, classIndexes }: ScoredRows, row: number): ScoredRow => {
  const at = { offset: rows.offsets[row]!, version: model.version }
  const from = row * model.outputs
  if (model.kind === 'regression') {
    const value = outputs[from]!
    return { ...at, prediction: String(value), probabilities: [], value }
  }
  return {
    ...at,
    prediction: model.classNames[classIndexes[row]!]!,
    probabilities: Array.from(outputs.subarray(from, from + model.outputs)),
    value: null,
  }
}

/**
 * Scores the feature events of a batch and writes them nowhere.
 * @param refused told the code of each event that cannot be read or scored
 */
export const scoredRowsOf =
  (options: {
    readonly reader: BatchReader<EventRows>
    readonly score: (rows: EventRows) => ScoredRows
    readonly refused: (code: string) => void
  }) =>
  async (batch: RecordBatch): Promise<ScoredRow[]> => {
    const { reader, score, refused } = options
    await reader.prepare(batch)
    const { rows, failures } = reader.read(batch)
    for (const { code } of failures.values()) refused(code)
    if (rows.length === 0) return []
    const scored = score(rows)
    const found: ScoredRow[] = []
    for (let row = 0; row < rows.length; row++) {
      const refusal = scored.refused.get(row)
      if (refusal === undefined) found.push(rowOf(scored, row))
      else refused(refusal.code)
    }
    return found
  }
