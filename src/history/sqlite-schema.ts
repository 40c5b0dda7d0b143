import type { DatabaseSync } from 'node:sqlite'

import { HistoryUnusable } from './history-errors.ts'

/**
 * The steps that lead an empty file to the present tables; step n makes `user_version` n + 1. Steps are only ever added.
 *
 * `predictions` keeps one row per prediction_id. `labels` keeps one row per event: `arrival` counts up with every label
 * that was new or corrected, and `event_time` is that of the prediction that counts for the event, null while there is
 * none. So the questions asked most (the last labels to arrive, the labelled events since a time) walk an index of the
 * labelled events only, however many predictions or stray labels there are.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE predictions (
    id INTEGER PRIMARY KEY,
    prediction_id TEXT NOT NULL UNIQUE,
    event_id TEXT NOT NULL,
    source_partition INTEGER,
    source_offset INTEGER,
    event_time INTEGER NOT NULL,
    scored_at INTEGER NOT NULL,
    prediction TEXT NOT NULL,
    class_index INTEGER NOT NULL,
    confidence REAL NOT NULL,
    probabilities TEXT NOT NULL,
    model_version TEXT NOT NULL,
    model_role TEXT NOT NULL,
    features TEXT NOT NULL
  ) STRICT;
  CREATE INDEX predictions_by_event ON predictions (event_id);
  CREATE INDEX predictions_by_scored_at ON predictions (scored_at);

  CREATE TABLE labels (
    event_id TEXT PRIMARY KEY,
    label TEXT NOT NULL,
    labelled_at INTEGER NOT NULL,
    arrival INTEGER NOT NULL,
    event_time INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX labels_by_arrival ON labels (arrival);
  CREATE INDEX labelled_by_arrival ON labels (arrival) WHERE event_time IS NOT NULL;
  CREATE INDEX labelled_by_event_time ON labels (event_time) WHERE event_time IS NOT NULL;
  `,
  // Predicted numbers: they have a value, and neither class nor confidence. SQLite cannot drop a NOT NULL, so the rows
  // move to a new table, with their ids: page cursors stay good.
  `
  CREATE TABLE predictions_next (
    id INTEGER PRIMARY KEY,
    prediction_id TEXT NOT NULL UNIQUE,
    event_id TEXT NOT NULL,
    source_partition INTEGER,
    source_offset INTEGER,
    event_time INTEGER NOT NULL,
    scored_at INTEGER NOT NULL,
    prediction TEXT NOT NULL,
    class_index INTEGER,
    confidence REAL,
    probabilities TEXT NOT NULL,
    value REAL,
    model_version TEXT NOT NULL,
    model_role TEXT NOT NULL,
    features TEXT NOT NULL
  ) STRICT;
  INSERT INTO predictions_next SELECT id, prediction_id, event_id, source_partition, source_offset, event_time,
    scored_at, prediction, class_index, confidence, probabilities, NULL, model_version, model_role, features
    FROM predictions;
  DROP TABLE predictions;
  ALTER TABLE predictions_next RENAME TO predictions;
  CREATE INDEX predictions_by_event ON predictions (event_id);
  CREATE INDEX predictions_by_scored_at ON predictions (scored_at);
  `,
]

export const schemaVersion = migrations.length

export const readSchemaVersion = (database: DatabaseSync): number =>
  Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0)

/** @throws HistoryUnusable when a newer Driftline wrote the file */
export const refuseNewer = (version: number, file: string): void => {
  if (version <= schemaVersion) return
  throw new HistoryUnusable(
    `the history ${file} has schema version ${version} and this Driftline knows up to ${schemaVersion}; ` +
      'run the Driftline that wrote it, or name another file',
  )
}

/**
 * Brings the tables up to date, each step in a transaction of its own.
 * Safe beside another process that does the same: the version is read again under the write lock.
 */
export const migrate = (database: DatabaseSync, file: string): void => {
  for (;;) {
    database.exec('BEGIN IMMEDIATE')
    try {
      const version = readSchemaVersion(database)
      refuseNewer(version, file)
      const step = migrations[version]
      if (step !== undefined) {
        database.exec(step)
        database.exec(`PRAGMA user_version = ${version + 1}`)
      }
      database.exec('COMMIT')
      if (step === undefined) return
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }
}
