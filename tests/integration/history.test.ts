import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { createSqliteHistory } from '../../src/history/sqlite-history.ts'
import { openSqliteHistoryReader } from '../../src/history/sqlite-history-reader.ts'
import { queries } from '../../src/history/sqlite-queries.ts'
import { eventually } from '../support/eventually.ts'
import { labelOf, predictionRow } from '../support/history-rows.ts'

const range = (length: number): number[] => Array.from({ length }, (_, n) => n)

describe('the history file', () => {
  let folder: string
  let file: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'driftline-history-'))
    file = join(folder, 'task', 'history.sqlite')
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('keeps its rows over a restart', async () => {
    const first = createSqliteHistory({ file })
    await first.recordPredictions([predictionRow(1)])
    await first.close()
    const second = createSqliteHistory({ file })
    expect(await second.counts()).toMatchObject({ predictions: 1 })
    await second.close()
  })

  it('reads as empty until the writer made it, then follows it', async () => {
    const reader = openSqliteHistoryReader({ file })
    expect(await reader.counts()).toEqual({ predictions: 0, labels: 0, labelled: 0 })
    expect(existsSync(file)).toBe(false)
    const writer = createSqliteHistory({ file })
    await writer.recordPredictions([predictionRow(1)])
    expect(await reader.counts()).toMatchObject({ predictions: 1 })
    await writer.recordPredictions([predictionRow(2)])
    expect(await reader.counts()).toMatchObject({ predictions: 2 })
    await reader.close()
    await writer.close()
  })

  it('can be read after its writer has gone, and after it was replaced', async () => {
    const writer = createSqliteHistory({ file })
    await writer.recordPredictions([predictionRow(1), predictionRow(2)])
    await writer.close()
    const reader = openSqliteHistoryReader({ file })
    expect(await reader.counts()).toMatchObject({ predictions: 2 })
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
    expect(await reader.counts()).toMatchObject({ predictions: 0 })
    const next = createSqliteHistory({ file })
    await next.recordPredictions([predictionRow(3)])
    expect(await reader.counts()).toMatchObject({ predictions: 1 })
    await reader.close()
    await next.close()
  })

  it('says what is wrong with a file that is no history or is of a later version', async () => {
    writeFileSync(join(folder, 'other'), 'this is no database, and it is long enough to be taken for one'.repeat(20))
    expect(() => createSqliteHistory({ file: join(folder, 'other') })).toThrow(/cannot be opened.*other|other.*cannot/)
    await expect(openSqliteHistoryReader({ file: join(folder, 'other') }).counts()).rejects.toMatchObject({
      code: 'HISTORY_UNUSABLE',
    })
    await createSqliteHistory({ file }).close()
    const database = new DatabaseSync(file)
    database.exec('PRAGMA user_version = 99')
    database.close()
    expect(() => createSqliteHistory({ file })).toThrow(/schema version 99/)
    await expect(openSqliteHistoryReader({ file }).counts()).rejects.toThrow(/schema version 99/)
  })

  it('brings a file of before numbers and categories up to date, with its rows, ids and page cursors', async () => {
    await createSqliteHistory({ file }).close()
    const old = new DatabaseSync(file)
    // The tables of schema version 1, as it left them.
    old.exec(`DROP TABLE predictions;
      CREATE TABLE predictions (id INTEGER PRIMARY KEY, prediction_id TEXT NOT NULL UNIQUE, event_id TEXT NOT NULL,
        source_partition INTEGER, source_offset INTEGER, event_time INTEGER NOT NULL, scored_at INTEGER NOT NULL,
        prediction TEXT NOT NULL, class_index INTEGER NOT NULL, confidence REAL NOT NULL, probabilities TEXT NOT NULL,
        model_version TEXT NOT NULL, model_role TEXT NOT NULL, features TEXT NOT NULL) STRICT;
      CREATE INDEX predictions_by_event ON predictions (event_id);
      CREATE INDEX predictions_by_scored_at ON predictions (scored_at);
      PRAGMA user_version = 1`)
    const insert = old.prepare('INSERT INTO predictions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    const rows = [predictionRow(1), predictionRow(2)]
    rows.forEach((row, i) => {
      const { prediction_id, event_id, source_partition, source_offset, event_time, scored_at, prediction } = row
      const { class_index, confidence, probabilities, model_version, model_role, features } = row
      const place = [prediction_id, event_id, source_partition, source_offset, event_time, scored_at, prediction]
      const rest = [class_index, confidence, JSON.stringify(probabilities), model_version, model_role]
      insert.run(10 * (i + 1), ...place, ...rest, JSON.stringify(features))
    })
    old.exec(`INSERT INTO labels VALUES ('e2', 'a', 5, 1, 1002)`)
    old.close()

    // A reader does not touch the tables: that is the writer's.
    expect(await openSqliteHistoryReader({ file }).counts()).toMatchObject({ predictions: 0 })
    const history = createSqliteHistory({ file })
    const first = await history.predictions({ limit: 1 })
    expect(first.predictions).toEqual([{ ...rows[1], label: 'a' }])
    expect((await history.predictions({ limit: 1, before: first.next ?? '' })).predictions).toEqual([
      { ...rows[0], label: null },
    ])
    await history.recordPredictions([predictionRow(3, { class_index: null, confidence: null, value: 1.5 })])
    expect(await history.counts()).toEqual({ predictions: 3, labels: 1, labelled: 1 })
    await history.close()
    const ids = new DatabaseSync(file, { readOnly: true }).prepare('SELECT id FROM predictions ORDER BY id').all()
    expect(ids.map(({ id }) => id)).toEqual([10, 20, 21])
  })

  it('never shows half a batch to a reader in the middle of writes by another process', async () => {
    const batchRows = 50
    const program = new URL('../support/programs/history-writer.ts', import.meta.url)
    const child = spawn(process.execPath, [program.pathname, file, String(batchRows)], { stdio: 'inherit' })
    const exited = once(child, 'exit')
    const reader = openSqliteHistoryReader({ file })
    try {
      const seen = new Set<number>()
      await eventually(async () => {
        const { predictions } = await reader.counts()
        expect(predictions % batchRows).toBe(0)
        seen.add(predictions)
        expect(seen.size).toBeGreaterThan(5)
      })
      child.kill('SIGKILL')
      await exited
      // What was committed is there after the kill, and the file is whole.
      const survivor = createSqliteHistory({ file })
      const { predictions } = await survivor.counts()
      expect(predictions).toBeGreaterThanOrEqual(Math.max(...seen))
      expect(predictions % batchRows).toBe(0)
      await survivor.close()
    } finally {
      child.kill('SIGKILL')
      await reader.close()
    }
  })

  it('walks an index for every question that is asked again and again', async () => {
    await createSqliteHistory({ file }).close()
    const database = new DatabaseSync(file)
    const { counts: _counted, ...indexed } = queries
    for (const [name, sql] of Object.entries(indexed)) {
      const marks = sql.split('?').length - 1
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...range(marks))
      const steps = plan.map((row) => String(row['detail']))
      // `recent` is as long as the window; `scored` and what is worked out of it are no longer.
      const cheap = /^SCAN (recent|scored|\(subquery-\d+\)|labels USING INDEX labelled_by_arrival)$/
      const scans = steps.filter((step) => step.startsWith('SCAN') && !cheap.test(step))
      expect(scans, name).toEqual([])
    }
    database.close()
  })

  it('answers the accuracy of the last labels without reading the rest', async () => {
    const history = createSqliteHistory({ file })
    const rows = 20_000
    await history.recordPredictions(range(rows).map((n) => predictionRow(n)))
    await history.recordLabels(range(rows).map((n) => labelOf(n)))
    // Labels of events that nobody scored must not be waded through.
    await history.recordLabels(range(rows).map((n) => labelOf(rows + n)))
    const fastest = async (window: number): Promise<number> => {
      const times: number[] = []
      for (let run = 0; run < 5; run += 1) {
        const start = performance.now()
        expect((await history.liveAccuracy({ window })).overall.labelled).toBe(window)
        times.push(performance.now() - start)
      }
      return Math.min(...times)
    }
    // A ratio in one run, so that a slow machine does not fail it.
    expect((await fastest(rows)) / (await fastest(rows / 100))).toBeGreaterThan(10)
    await history.close()
  })
})
