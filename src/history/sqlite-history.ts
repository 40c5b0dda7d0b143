import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { describeError } from '../errors.ts'
import { HistoryUnusable } from './history-errors.ts'
import type { HistoryStore } from './history-types.ts'
import { createSqliteQueries } from './sqlite-queries.ts'
import { migrate } from './sqlite-schema.ts'

const upsertPrediction = `INSERT INTO predictions (prediction_id, event_id, source_partition, source_offset, event_time,
    scored_at, prediction, class_index, confidence, probabilities, value, model_version, model_role, features)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (prediction_id) DO UPDATE SET event_id = excluded.event_id, source_partition = excluded.source_partition,
    source_offset = excluded.source_offset, event_time = excluded.event_time, scored_at = excluded.scored_at,
    prediction = excluded.prediction, class_index = excluded.class_index, confidence = excluded.confidence,
    probabilities = excluded.probabilities, value = excluded.value, model_version = excluded.model_version,
    model_role = excluded.model_role, features = excluded.features`

/** The event time of the prediction that counts for an event; null where no prediction of it was served. */
const countedEventTime = `(SELECT event_time FROM predictions WHERE event_id = ? AND model_role <> 'shadow'
  ORDER BY scored_at DESC, id DESC LIMIT 1)`

const matchLabel = `UPDATE labels SET event_time = ${countedEventTime} WHERE event_id = ?`

// A redelivered label changes nothing, its arrival included; two different labels of one millisecond: the later arrival wins.
const upsertLabel = `INSERT INTO labels (event_id, label, labelled_at, arrival, event_time)
  VALUES (?, ?, ?, ?, ${countedEventTime})
  ON CONFLICT (event_id) DO UPDATE SET label = excluded.label, labelled_at = excluded.labelled_at,
    arrival = excluded.arrival, event_time = excluded.event_time
  WHERE excluded.labelled_at > labels.labelled_at
    OR (excluded.labelled_at = labels.labelled_at AND excluded.label <> labels.label)`

const openForWriting = (file: string, busyTimeoutMs: number): DatabaseSync => {
  let database: DatabaseSync | undefined
  try {
    mkdirSync(dirname(file), { recursive: true })
    database = new DatabaseSync(file, { timeout: busyTimeoutMs })
    // A checkpoint each 64 MiB instead of each 4: random event ids touch many index pages, and each would be
    // written twice per batch.
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536;
      PRAGMA wal_autocheckpoint = 16384; PRAGMA journal_size_limit = 67108864`)
    migrate(database, file)
    return database
  } catch (error) {
    database?.close()
    if (error instanceof HistoryUnusable) throw error
    throw new HistoryUnusable(`the history ${file} cannot be opened: ${describeError(error)}; check path and rights`, {
      cause: error,
    })
  }
}

/**
 * The history in one SQLite file: one process writes, any number read (see `openSqliteHistoryReader`).
 *
 * What counts: in `liveAccuracy` and `liveErrors`, an event counts once in `overall`, by the latest prediction of it
 * that was served (champion or candidate), even if its producer sent it twice; in `by_version` it counts once for each
 * version that scored it, shadows included, by that version's latest prediction. The latest is the one scored last,
 * then recorded last.
 * The window is the last events by the order in which their labels were recorded here, so a producer's wrong clock
 * cannot hold it; a corrected label counts as newly arrived.
 *
 * Calls block the event loop while SQLite works: about 5 us a row written. After a power cut (not after a crash of the
 * process) the last batches may be missing: the journal is synced at checkpoints, not at each commit.
 * @throws HistoryUnusable when the file cannot be opened or is of a newer Driftline
 */
export const createSqliteHistory = (options: { file: string; busyTimeoutMs?: number }): HistoryStore => {
  const database = openForWriting(options.file, options.busyTimeoutMs ?? 5000)
  const reads = createSqliteQueries(database)
  const prediction = database.prepare(upsertPrediction)
  const match = database.prepare(matchLabel)
  const label = database.prepare(upsertLabel)
  const lastArrival = database.prepare('SELECT MAX(arrival) AS arrival FROM labels')

  const inTransaction = (work: () => void): void => {
    database.exec('BEGIN IMMEDIATE')
    try {
      work()
      database.exec('COMMIT')
    } catch (error) {
      // A full disk may have ended the transaction already.
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }

  return {
    ...reads,
    recordPredictions: async (rows) => {
      if (rows.length === 0) return
      inTransaction(() => {
        for (const row of rows) {
          prediction.run(
            row.prediction_id,
            row.event_id,
            row.source_partition,
            row.source_offset,
            row.event_time,
            row.scored_at,
            row.prediction,
            row.class_index,
            row.confidence,
            JSON.stringify(row.probabilities),
            row.value,
            row.model_version,
            row.model_role,
            JSON.stringify(row.features),
          )
          match.run(row.event_id, row.event_id)
        }
      })
    },
    recordLabels: async (labels) => {
      if (labels.length === 0) return
      inTransaction(() => {
        let arrival = Number(lastArrival.get()?.['arrival'] ?? 0)
        for (const { event_id, label: name, labelled_at } of labels) {
          arrival += 1
          label.run(event_id, name, labelled_at, arrival, event_id)
        }
      })
    },
    close: async () => {
      if (database.isOpen) database.close()
    },
  }
}
