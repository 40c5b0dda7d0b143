import type { DatabaseSync } from 'node:sqlite'

import type { ModelRole } from '../events.ts'
import type { AccuracyOf, ErrorsOf, HistoryReader, LabelledRow, PredictionRow } from './history-types.ts'
import { decodeCursor, encodeCursor } from './page-cursor.ts'

type SqlRow = Record<string, unknown>

const predictionColumns = `p.id, p.prediction_id, p.event_id, p.source_partition, p.source_offset, p.event_time,
  p.scored_at, p.prediction, p.class_index, p.confidence, p.probabilities, p.value, p.model_version, p.model_role,
  p.features, l.label`

/** The rows of `alias` that no row of the same event, and of the same `also`, was scored after. */
const isLatest = (alias: string, also: string): string => `NOT EXISTS (
  SELECT 1 FROM predictions AS later WHERE later.event_id = ${alias}.event_id AND ${also}
  AND (later.scored_at > ${alias}.scored_at OR (later.scored_at = ${alias}.scored_at AND later.id > ${alias}.id)))`

const recentlyLabelled = `WITH recent AS MATERIALIZED (
  SELECT event_id, label FROM labels WHERE event_time IS NOT NULL ORDER BY arrival DESC LIMIT ?)`

// Labels that are all the same may lie beside their rounded mean: that they vary is asked of themselves.
const squares = `TOTAL((value - truth) * (value - truth)) AS error, TOTAL((truth - mean) * (truth - mean)) AS spread,
  MIN(truth) < MAX(truth) AS varies`

/** CROSS JOIN keeps SQLite from walking the larger table first. */
export const queries = {
  accuracyOverall: `${recentlyLabelled}
    SELECT COUNT(*) AS labelled, TOTAL(p.prediction = recent.label) AS correct
    FROM recent CROSS JOIN predictions AS p ON p.event_id = recent.event_id
    WHERE p.model_role <> 'shadow' AND ${isLatest('p', "later.model_role <> 'shadow'")}`,
  accuracyByVersion: `${recentlyLabelled}
    SELECT p.model_version AS model_version, COUNT(*) AS labelled, TOTAL(p.prediction = recent.label) AS correct
    FROM recent CROSS JOIN predictions AS p ON p.event_id = recent.event_id
    WHERE ${isLatest('p', 'later.model_version = p.model_version')}
    GROUP BY p.model_version ORDER BY MIN(p.id)`,
  // The mean first, then the squares about it: the difference of two large sums would lose the digits that count.
  errorsOverall: `${recentlyLabelled}, scored AS MATERIALIZED (
      SELECT p.value AS value, CAST(recent.label AS REAL) AS truth
      FROM recent CROSS JOIN predictions AS p ON p.event_id = recent.event_id
      WHERE p.value IS NOT NULL AND p.model_role <> 'shadow' AND ${isLatest('p', "later.model_role <> 'shadow'")})
    SELECT COUNT(*) AS labelled, ${squares}
    FROM scored CROSS JOIN (SELECT AVG(truth) AS mean FROM scored)`,
  errorsByVersion: `${recentlyLabelled}, scored AS MATERIALIZED (
      SELECT p.id AS id, p.model_version AS model_version, p.value AS value, CAST(recent.label AS REAL) AS truth
      FROM recent CROSS JOIN predictions AS p ON p.event_id = recent.event_id
      WHERE p.value IS NOT NULL AND ${isLatest('p', 'later.model_version = p.model_version')})
    SELECT model_version, COUNT(*) AS labelled, ${squares}
    FROM scored JOIN (SELECT model_version, AVG(truth) AS mean FROM scored GROUP BY model_version)
      USING (model_version)
    GROUP BY model_version ORDER BY MIN(id)`,
  labelledRows: `SELECT p.event_id, p.event_time, l.labelled_at, p.features, p.prediction, p.value, p.model_version,
      l.label
    FROM labels AS l CROSS JOIN predictions AS p ON p.id = (
      SELECT served.id FROM predictions AS served
      WHERE served.event_id = l.event_id AND served.model_role <> 'shadow'
      ORDER BY served.scored_at DESC, served.id DESC LIMIT 1)
    WHERE l.event_time >= ? ORDER BY l.event_time DESC, l.event_id DESC LIMIT ?`,
  countLabelled: 'SELECT COUNT(*) AS labelled FROM labels WHERE event_time >= ?',
  page: `SELECT ${predictionColumns} FROM predictions AS p LEFT JOIN labels AS l ON l.event_id = p.event_id
    WHERE p.scored_at <= ? AND (p.scored_at < ? OR p.id < ?) ORDER BY p.scored_at DESC, p.id DESC LIMIT ?`,
  pageOfEvent: `SELECT ${predictionColumns} FROM predictions AS p LEFT JOIN labels AS l ON l.event_id = p.event_id
    WHERE p.event_id = ? AND (p.scored_at < ? OR (p.scored_at = ? AND p.id < ?))
    ORDER BY p.scored_at DESC, p.id DESC LIMIT ?`,
  counts: `SELECT (SELECT COUNT(*) FROM predictions) AS predictions, (SELECT COUNT(*) FROM labels) AS labels,
    (SELECT COUNT(*) FROM labels WHERE event_time IS NOT NULL) AS labelled`,
} as const

const accuracyOf = (row: SqlRow | undefined): AccuracyOf => {
  const labelled = Number(row?.['labelled'] ?? 0)
  const correct = Number(row?.['correct'] ?? 0)
  return { labelled, correct, accuracy: labelled === 0 ? null : correct / labelled }
}

const errorsOf = (row: SqlRow | undefined): ErrorsOf => {
  const labelled = Number(row?.['labelled'] ?? 0)
  const error = Number(row?.['error'] ?? 0)
  const spread = Number(row?.['spread'] ?? 0)
  return {
    labelled,
    rmse: labelled === 0 ? null : Math.sqrt(error / labelled),
    r2: row?.['varies'] === 1 && spread > 0 ? 1 - error / spread : null,
  }
}

const nullableNumber = (value: unknown): number | null => (value === null ? null : Number(value))

const predictionOf = (row: SqlRow): PredictionRow & { label: string | null } => ({
  prediction_id: String(row['prediction_id']),
  event_id: String(row['event_id']),
  source_partition: nullableNumber(row['source_partition']),
  source_offset: nullableNumber(row['source_offset']),
  event_time: Number(row['event_time']),
  scored_at: Number(row['scored_at']),
  prediction: String(row['prediction']),
  class_index: nullableNumber(row['class_index']),
  confidence: nullableNumber(row['confidence']),
  probabilities: JSON.parse(String(row['probabilities'])) as number[],
  value: nullableNumber(row['value']),
  model_version: String(row['model_version']),
  model_role: String(row['model_role']) as ModelRole,
  features: JSON.parse(String(row['features'])) as PredictionRow['features'],
  label: row['label'] === null ? null : String(row['label']),
})

const labelledOf = (row: SqlRow): LabelledRow => ({
  event_id: String(row['event_id']),
  event_time: Number(row['event_time']),
  labelled_at: Number(row['labelled_at']),
  features: JSON.parse(String(row['features'])) as PredictionRow['features'],
  prediction: String(row['prediction']),
  value: nullableNumber(row['value']),
  model_version: String(row['model_version']),
  label: String(row['label']),
})

/** The reading half of the history, over an open database whose tables are up to date. */
export const createSqliteQueries = (database: DatabaseSync): Omit<HistoryReader, 'close'> => {
  const prepared = {
    accuracyOverall: database.prepare(queries.accuracyOverall),
    accuracyByVersion: database.prepare(queries.accuracyByVersion),
    errorsOverall: database.prepare(queries.errorsOverall),
    errorsByVersion: database.prepare(queries.errorsByVersion),
    labelledRows: database.prepare(queries.labelledRows),
    countLabelled: database.prepare(queries.countLabelled),
    page: database.prepare(queries.page),
    pageOfEvent: database.prepare(queries.pageOfEvent),
    counts: database.prepare(queries.counts),
  }

  return {
    liveAccuracy: async ({ window }) => ({
      overall: accuracyOf(prepared.accuracyOverall.get(window)),
      by_version: prepared.accuracyByVersion
        .all(window)
        .map((row) => ({ model_version: String(row['model_version']), ...accuracyOf(row) })),
    }),
    liveErrors: async ({ window }) => ({
      overall: errorsOf(prepared.errorsOverall.get(window)),
      by_version: prepared.errorsByVersion
        .all(window)
        .map((row) => ({ model_version: String(row['model_version']), ...errorsOf(row) })),
    }),
    labelledRows: async ({ limit, sinceEventTime = Number.MIN_SAFE_INTEGER }) =>
      prepared.labelledRows.all(sinceEventTime, limit).map(labelledOf),
    countLabelled: async ({ sinceEventTime = Number.MIN_SAFE_INTEGER }) =>
      Number(prepared.countLabelled.get(sinceEventTime)?.['labelled'] ?? 0),
    predictions: async ({ limit, before, eventId }) => {
      const { scoredAt, id } =
        before === undefined ? { scoredAt: Number.MAX_SAFE_INTEGER, id: Number.MAX_SAFE_INTEGER } : decodeCursor(before)
      // One row more than asked for tells whether an older page exists.
      const rows =
        eventId === undefined
          ? prepared.page.all(scoredAt, scoredAt, id, limit + 1)
          : prepared.pageOfEvent.all(eventId, scoredAt, scoredAt, id, limit + 1)
      const shown = rows.slice(0, limit)
      const last = shown.at(-1)
      const more = rows.length > limit && last !== undefined
      return {
        predictions: shown.map(predictionOf),
        next: more ? encodeCursor({ scoredAt: Number(last['scored_at']), id: Number(last['id']) }) : null,
      }
    },
    counts: async () => {
      const row = prepared.counts.get()
      return {
        predictions: Number(row?.['predictions'] ?? 0),
        labels: Number(row?.['labels'] ?? 0),
        labelled: Number(row?.['labelled'] ?? 0),
      }
    },
  }
}
