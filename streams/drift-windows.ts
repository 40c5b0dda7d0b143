import { quantile } from 'simple-statistics'
import type { DriftWindow } from '../src/drift/assess-window.ts'
import type { DriftReference, ReferenceFeature } from '../src/drift/reference.ts'
import type { Prediction } from '../src/events.ts'
import { categoryCode } from '../src/features/category-code.ts'

/** Share of a window's events that may be older than its begin. */
const ONSET_QUANTILE = 0.1

/** A prediction and where it lies on the predictions topic. */
export type PredictionRecord = {
  readonly partition: number
  readonly offset: bigint
  readonly prediction: Prediction
}

/** How far a partition of the predictions topic was taken. */
export type PartitionMark = {
  /** Of the last record. */
  readonly offset: bigint
  /** The greatest source offset of a champion prediction in a window; -1 if there was none. */
  readonly sourceOffset: number
  /** The greatest time of scoring, ms since the epoch. */
  readonly scoredAt: number
}

/** The rows of one version that no closed window holds, and how many rows had come when its first and last one did. */
type OpenWindow = { rows: PredictionRecord[]; firstTick: number; lastTick: number }

/** The open windows and how far the partitions were taken. Changed only by the functions below, on a copy. */
export type WindowState = {
  readonly windows: Map<string, OpenWindow>
  readonly seen: Map<number, PartitionMark>
  /**
   * As `seen`, but at the last row that a closed window holds: all that a restart has to know of what it reads again. Rows
   * that lie before it in the open window of another version, which happens around a swap, are then passed over.
   */
  readonly closed: Map<number, PartitionMark>
  ticks: number
}

/**
 * What became of a record: it joined a window, its version is not watched, it was taken before, or a candidate's or
 * shadow's prediction.
 */
export type Taken = 'windowed' | 'unwatched' | 'repeated' | 'other-role'

export const createWindowState = (closed: ReadonlyMap<number, PartitionMark> = new Map()): WindowState => ({
  windows: new Map(),
  seen: new Map(closed),
  closed: new Map(closed),
  ticks: 0,
})

export const copyOf = (state: WindowState): WindowState => ({
  windows: new Map([...state.windows].map(([version, window]) => [version, { ...window, rows: [...window.rows] }])),
  seen: new Map(state.seen),
  closed: new Map(state.closed),
  ticks: state.ticks,
})

const forgetPartition = (state: WindowState, partition: number): void => {
  state.seen.delete(partition)
  state.closed.delete(partition)
  for (const window of state.windows.values()) {
    window.rows = window.rows.filter((row) => row.partition !== partition)
  }
}

/** Whether the record lies at or before the mark. */
const wasTaken = (state: WindowState, { partition, offset, prediction }: PredictionRecord): boolean => {
  const mark = state.seen.get(partition)
  if (mark === undefined || offset > mark.offset) return false
  // What lies before the mark was scored before its time. If this was not, it lies on a topic that was made anew under
  // the same name, and the mark would hide its records until it grew as long as the old one.
  if (prediction.scored_at > mark.scoredAt) {
    forgetPartition(state, partition)
    return false
  }
  return true
}

/**
 * Takes one record of a partition, in the order of its offsets, into its version's window.
 *
 * Readers of committed records may still be handed some of an aborted transaction, so a source record can come twice. A
 * partition's predictions are written by one producer at a time, in the order of their source offsets, and after an abort
 * it goes on from the last committed one: a source offset that is not above the greatest so far is a repetition. The
 * first copy stays; both hold the same features.
 *
 * @param watched whether windows of this version are kept; if not, its open window is dropped
 */
export const takeRecord = (state: WindowState, record: PredictionRecord, watched: boolean): Taken => {
  if (wasTaken(state, record)) return 'repeated'
  const { partition, offset, prediction } = record
  const mark = state.seen.get(partition) ?? { sourceOffset: -1, scoredAt: 0 }
  const scoredAt = Math.max(mark.scoredAt, prediction.scored_at)
  const champion = prediction.model_role === 'champion'
  const sourceOffset = prediction.source_offset ?? mark.sourceOffset + 1
  const repeated = sourceOffset <= mark.sourceOffset
  const taken = champion && watched && !repeated
  state.seen.set(partition, {
    offset,
    scoredAt,
    sourceOffset: taken && prediction.source_offset !== null ? sourceOffset : mark.sourceOffset,
  })
  if (!champion) return 'other-role'
  if (!watched) {
    state.windows.delete(prediction.model_version)
    return 'unwatched'
  }
  if (repeated) return 'repeated'
  state.ticks += 1
  const window = state.windows.get(prediction.model_version) ?? { rows: [], firstTick: 0, lastTick: 0 }
  if (window.rows.length === 0) window.firstTick = state.ticks
  window.lastTick = state.ticks
  window.rows.push(record)
  state.windows.set(prediction.model_version, window)
  return 'windowed'
}

/** Rows in the open window of a version. */
export const openRows = (state: WindowState, modelVersion: string): number =>
  state.windows.get(modelVersion)?.rows.length ?? 0

/** A value as the test of its feature takes it: a category by the reference's code, NaN where missing. */
const testedValue = (feature: ReferenceFeature, value: Prediction['features'][number]): number => {
  if (feature.type === 'category') {
    return typeof value === 'string' ? categoryCode(feature.categories, value) : Number.NaN
  }
  return typeof value === 'number' ? value : Number.NaN
}

/**
 * Closes the open window of the reference's version, which must hold rows, and begins the next one.
 *
 * A version of which no row came during this whole window is retired: after a swap the last rows of the old model would
 * otherwise wait for ever for their window to fill, and hold the safe offset where it is.
 */
export const closeWindow = (
  state: WindowState,
  reference: DriftReference,
): { window: DriftWindow; retired: string[] } => {
  const closing = state.windows.get(reference.modelVersion)!
  const { rows, firstTick } = closing
  state.windows.set(reference.modelVersion, { ...closing, rows: [] })
  for (const row of rows) {
    const { scoredAt, sourceOffset: seenSource } = state.seen.get(row.partition)!
    const sourceOffset = row.prediction.source_offset ?? state.closed.get(row.partition)?.sourceOffset ?? -1
    state.closed.set(row.partition, { offset: row.offset, sourceOffset: Math.min(sourceOffset, seenSource), scoredAt })
  }
  const retired = [...state.windows].filter(([, window]) => window.lastTick < firstTick).map(([version]) => version)
  for (const version of retired) state.windows.delete(version)

  const eventTimes = rows.map((row) => row.prediction.event_time)
  const window = {
    modelVersion: reference.modelVersion,
    rows: rows.length,
    columns: reference.features.map((feature, column) =>
      Float64Array.from(rows, (row) => testedValue(feature, row.prediction.features[column] ?? null)),
    ),
    // Not the least: a single event that is late or has a wrong clock would move the onset to before the drift.
    firstEventTime: Math.floor(quantile(eventTimes, ONSET_QUANTILE)),
    lastEventTime: eventTimes.reduce((greatest, time) => Math.max(greatest, time)),
    lastEventId: rows[rows.length - 1]!.prediction.event_id,
  }
  return { window, retired }
}

/**
 * Where a restart has to begin reading a partition so that no open window loses a row; null if nothing of the partition
 * is known.
 */
export const safeOffsetOf = (state: WindowState, partition: number): bigint | null => {
  const mark = state.seen.get(partition)
  if (mark === undefined) return null
  let safe = mark.offset + 1n
  for (const { rows } of state.windows.values()) {
    // Rows of one partition stand in the order of their offsets.
    const oldest = rows.find((row) => row.partition === partition)
    if (oldest !== undefined && oldest.offset < safe) safe = oldest.offset
  }
  return safe
}
