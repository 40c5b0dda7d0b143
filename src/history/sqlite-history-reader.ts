import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

import { describeError } from '../errors.ts'
import { HistoryUnusable } from './history-errors.ts'
import type { HistoryReader } from './history-types.ts'
import { createSqliteQueries } from './sqlite-queries.ts'
import { readSchemaVersion, refuseNewer, schemaVersion } from './sqlite-schema.ts'

type Reads = Omit<HistoryReader, 'close'>

/** What a history answers before anything was recorded. */
const empty: Reads = {
  liveAccuracy: async () => ({ overall: { labelled: 0, correct: 0, accuracy: null }, by_version: [] }),
  liveErrors: async () => ({ overall: { labelled: 0, rmse: null, r2: null }, by_version: [] }),
  labelledRows: async () => [],
  countLabelled: async () => 0,
  predictions: async () => ({ predictions: [], next: null }),
  counts: async () => ({ predictions: 0, labels: 0, labelled: 0 }),
}

/** Names the file that a path leads to now; null where there is none. */
const identityOf = (file: string): string | null => {
  const stats = statSync(file, { throwIfNoEntry: false })
  return stats === undefined ? null : `${stats.dev}:${stats.ino}`
}

/**
 * Reads the history that another process writes. It looks for the file at each call: while there is none, or its tables
 * are not there yet, every answer is that of an empty history; a file that was replaced is opened anew.
 * Calls reject with HistoryUnusable when the file is there and cannot be read.
 */
export const openSqliteHistoryReader = (options: { file: string; busyTimeoutMs?: number }): HistoryReader => {
  const { file, busyTimeoutMs = 5000 } = options
  let open: { identity: string; database: DatabaseSync; reads: Reads } | null = null

  const closeFile = (): void => {
    const last = open
    open = null
    if (last?.database.isOpen) last.database.close()
  }

  const tryOpen = (identity: string): Reads => {
    const database = new DatabaseSync(file, { readOnly: true, timeout: busyTimeoutMs })
    try {
      const version = readSchemaVersion(database)
      refuseNewer(version, file)
      if (version < schemaVersion) {
        // The writer has yet to bring the tables up to date.
        database.close()
        return empty
      }
      const reads = createSqliteQueries(database)
      open = { identity, database, reads }
      return reads
    } catch (error) {
      database.close()
      throw error
    }
  }

  const reads = (): Reads => {
    const identity = identityOf(file)
    if (open !== null && open.identity === identity) return open.reads
    closeFile()
    if (identity === null) return empty
    try {
      return tryOpen(identity)
    } catch (error) {
      if (error instanceof HistoryUnusable) throw error
      throw new HistoryUnusable(`the history ${file} cannot be read: ${describeError(error)}; check path and rights`, {
        retryable: true,
        cause: error,
      })
    }
  }

  return {
    liveAccuracy: async (query) => reads().liveAccuracy(query),
    liveErrors: async (query) => reads().liveErrors(query),
    labelledRows: async (query) => reads().labelledRows(query),
    countLabelled: async (query) => reads().countLabelled(query),
    predictions: async (query) => reads().predictions(query),
    counts: async () => reads().counts(),
    close: async () => closeFile(),
  }
}
