import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DriftThresholds } from '../../../src/drift/assess-window.ts'
import { createDriftReference, type DriftReference } from '../../../src/drift/reference.ts'
import type { Prediction } from '../../../src/events.ts'
import { readCheckpoint } from '../../../streams/drift-checkpoint.ts'
import {
  createDriftMonitor,
  type DriftMonitor,
  type MonitorResult,
  type MonitorStep,
  type PredictionRecord,
  versionsIn,
} from '../../../streams/drift-monitor.ts'

const thresholds: DriftThresholds = {
  windowRows: 20,
  consecutiveWindows: 2,
  alpha: 0.01,
  correction: 'benjamini-hochberg',
  minStatistic: 0.15,
  coolDownMs: 1000,
}
const task = 'plants'
const values = Array.from({ length: 100 }, (_, k) => (k * 37) % 100)
const referenceOf = (modelVersion: string, featureNames = ['height', 'width']): DriftReference =>
  createDriftReference({ modelVersion, featureNames, columns: featureNames.map(() => values) })
const references = new Map(['1', '2', '3'].map((version) => [version, referenceOf(version)]))
const referenceFor = (version: string): DriftReference | null => references.get(version) ?? null

type Made = Partial<Prediction> & { partition?: number; shift?: number }

/** The prediction of source record `offset`, which lies at the same offset of the predictions topic unless told. */
const recordOf = (offset: number, made: Made = {}, at = offset): PredictionRecord => {
  const { partition = 0, shift = 0, ...prediction } = made
  return {
    partition,
    offset: BigInt(at),
    prediction: {
      event_id: `e${partition}-${offset}`,
      source_partition: partition,
      source_offset: offset,
      event_time: 10_000 + offset,
      scored_at: 20_000 + at,
      prediction: 'a',
      class_index: 0,
      confidence: 1,
      probabilities: [1],
      value: null,
      model_version: '1',
      model_role: 'champion',
      features: [((offset * 37) % 100) + shift, (offset * 37) % 100],
      ...prediction,
    },
  }
}
const recordsOf = (from: number, to: number, made: Made = {}): PredictionRecord[] =>
  Array.from({ length: to - from }, (_, k) => recordOf(from + k, made))

const create = () => createDriftMonitor({ task, thresholds })

/** Accepts and keeps a batch. */
const take = (monitor: DriftMonitor, records: readonly PredictionRecord[], at = 0): MonitorStep => {
  const step = monitor.accept(records, { referenceFor, at })
  monitor.keep(step)
  return step
}
const verdicts = (results: readonly MonitorResult[]) => results.map(({ assessment }) => assessment.verdict)

describe('windows', () => {
  it('close every 20 rows, whatever the batches', () => {
    const monitor = create()
    expect(take(monitor, recordsOf(0, 15)).results).toEqual([])
    expect(verdicts(take(monitor, recordsOf(15, 65)).results)).toEqual(['quiet', 'quiet', 'quiet'])
    expect(monitor.safeOffset(0)).toBe(60n)
  })

  it('tell their time span and the event that closed them, whatever a wrong clock says', () => {
    const records = recordsOf(0, 20)
    const late = records.with(3, recordOf(3, { event_time: 99_000 })).with(7, recordOf(7, { event_time: 5 }))
    expect(take(create(), late).results[0]!.assessment).toMatchObject({
      modelVersion: '1',
      rows: 20,
      firstEventTime: 10_000,
      lastEventTime: 99_000,
      lastEventId: 'e0-19',
    })
  })

  it('take champion predictions only', () => {
    const monitor = create()
    const shadows = recordsOf(0, 100, { model_role: 'shadow' })
    const candidates = recordsOf(100, 200, { model_role: 'candidate' })
    const step = take(monitor, [...shadows, ...candidates])
    expect(step.counts).toEqual({ windowed: 0, unwatched: 0, repeated: 0, 'other-role': 200 })
    expect(monitor.safeOffset(0)).toBe(200n)
  })

  it('take a champion whose source record a shadow scored before it', () => {
    const both = recordsOf(0, 20).flatMap(({ prediction }, k) => [
      { partition: 0, offset: BigInt(2 * k), prediction: { ...prediction, model_role: 'shadow' as const } },
      { partition: 0, offset: BigInt(2 * k + 1), prediction },
    ])
    expect(take(create(), both).results).toHaveLength(1)
  })

  it('count missing features as missing', () => {
    const records = recordsOf(0, 20, { features: [null, 4] })
    const { assessment } = take(create(), records).results[0]!
    expect(assessment.untested).toEqual(['height'])
  })

  it('take predictions of synchronous requests, which have no source record', () => {
    const step = take(create(), recordsOf(0, 20, { source_partition: null, source_offset: null }))
    expect(step.results).toHaveLength(1)
  })

  it('gather the rows of all partitions', () => {
    const monitor = create()
    take(monitor, recordsOf(0, 12, { partition: 0 }))
    expect(take(monitor, recordsOf(0, 12, { partition: 1 })).results).toHaveLength(1)
    expect([monitor.safeOffset(0), monitor.safeOffset(1), monitor.safeOffset(2)]).toEqual([12n, 8n, null])
  })
})

describe('an alarm', () => {
  it('follows the second drifted window, with the onset of the first', () => {
    const monitor = create()
    take(monitor, recordsOf(0, 20))
    const { results } = take(monitor, recordsOf(20, 60, { shift: 80 }), 777)
    expect(verdicts(results)).toEqual(['drifted', 'drifted'])
    expect(results[0]!.event).toBeNull()
    expect(results[1]!.alarm).toMatchObject({ onsetEventTime: 10_021, consecutiveWindows: 2, lastEventId: 'e0-59' })
    expect(results[1]!.event).toMatchObject({
      detected_at: 777,
      model_version: '1',
      window_rows: 20,
      onset_event_time: 10_021,
      last_event_time: 10_059,
    })
    const drifted = results[1]!.event!.features.filter((feature) => feature.drifted)
    expect(drifted.map(({ feature }) => feature)).toEqual(['height'])
  })

  it('comes again with the same id when its step was dropped', () => {
    const monitor = create()
    const batch = recordsOf(0, 40, { shift: 80 })
    const dropped = monitor.accept(batch, { referenceFor, at: 1 })
    expect(monitor.safeOffset(0)).toBeNull()
    const again = take(monitor, batch, 2)
    expect(again.results.map(({ event }) => event?.drift_id)).toEqual(
      dropped.results.map(({ event }) => event?.drift_id),
    )
    expect(again.results[1]!.event).not.toBeNull()
  })

  it('cannot be lost by keeping steps out of turn', () => {
    const monitor = create()
    const first = monitor.accept(recordsOf(0, 5), { referenceFor, at: 1 })
    const second = monitor.accept(recordsOf(0, 5, { partition: 1 }), { referenceFor, at: 1 })
    monitor.keep(first)
    expect(() => monitor.keep(second)).toThrow(/out of turn/)
    expect(() => monitor.keep(first)).toThrow(/out of turn/)
  })
})

describe('records that come twice', () => {
  it('are passed over when the partition is read again from an older offset', () => {
    const monitor = create()
    take(monitor, recordsOf(0, 30))
    const again = take(monitor, recordsOf(10, 40))
    expect(again.counts).toMatchObject({ repeated: 20, windowed: 10 })
    expect(again.results).toHaveLength(1)
    expect(monitor.safeOffset(0)).toBe(40n)
  })

  it('are passed over when an aborted transaction left copies of them', () => {
    const aborted = recordsOf(0, 8)
    const committed = Array.from({ length: 20 }, (_, k) => recordOf(k, {}, 9 + k))
    const step = take(create(), [...aborted, ...committed])
    expect(step.counts).toMatchObject({ repeated: 8, windowed: 20 })
    expect(step.results).toHaveLength(1)
  })

  it('are told apart by partition', () => {
    const step = take(create(), [...recordsOf(0, 10, { partition: 0 }), ...recordsOf(0, 10, { partition: 1 })])
    expect(step.counts.windowed).toBe(20)
  })

  it('are not seen in a topic that was made anew under the same name', () => {
    const monitor = create()
    take(monitor, recordsOf(0, 1007))
    const later = Array.from({ length: 25 }, (_, k) => recordOf(k, { scored_at: 50_000 + k }))
    const step = take(monitor, later)
    expect(step.counts).toMatchObject({ repeated: 0, windowed: 25 })
    // The old topic's rows left their window: what is committed lies on the new one.
    expect(monitor.safeOffset(0)).toBe(20n)
  })
})

describe('model versions', () => {
  it('are listed for the caller to load', () => {
    const records = [
      recordOf(0, { model_version: '2' }),
      recordOf(1, { model_version: '7', model_role: 'shadow' }),
      recordOf(2, { model_version: '1' }),
      recordOf(3, { model_version: '2' }),
    ]
    expect(versionsIn(records)).toEqual(['2', '1'])
  })

  it('each have their window, their reference and their row of drifted windows', () => {
    const monitor = create()
    const mixed = Array.from({ length: 80 }, (_, k) =>
      recordOf(k, { model_version: k % 2 === 0 ? '1' : '2', shift: k % 2 === 0 ? 80 : 0 }),
    )
    const { results } = take(monitor, mixed)
    expect(results.map(({ assessment }) => [assessment.modelVersion, assessment.verdict])).toEqual([
      ['1', 'drifted'],
      ['2', 'quiet'],
      ['1', 'drifted'],
      ['2', 'quiet'],
    ])
    expect(results.map(({ alarm }) => alarm?.modelVersion)).toEqual([undefined, undefined, '1', undefined])
  })

  it('read the features in the order of their own model', () => {
    const turned = referenceOf('9', ['width', 'height'])
    const monitor = create()
    const records = recordsOf(0, 20, { model_version: '9', shift: 80 })
    const step = monitor.accept(records, { referenceFor: () => turned, at: 0 })
    const drifted = step.results[0]!.assessment.features.filter((feature) => feature.drifted)
    expect(drifted.map(({ feature }) => feature)).toEqual(['width'])
  })

  it('that are not watched are passed over and hold nothing back', () => {
    const monitor = create()
    take(monitor, recordsOf(0, 10))
    const step = take(monitor, recordsOf(10, 50, { model_version: 'unknown' }))
    expect(step.counts.unwatched).toBe(40)
    expect(step.results).toEqual([])
    expect(monitor.safeOffset(0)).toBe(0n)
  })

  it('lose their open window when they are no longer watched', () => {
    const monitor = create()
    take(monitor, recordsOf(0, 10))
    monitor.keep(monitor.accept([recordOf(10)], { referenceFor: () => null, at: 0 }))
    expect(monitor.safeOffset(0)).toBe(11n)
  })

  it('that went quiet after a swap let go of the safe offset, and begin anew when they return', () => {
    const monitor = create()
    take(monitor, recordsOf(0, 30, { shift: 80 }))
    expect(monitor.safeOffset(0)).toBe(20n)
    take(monitor, recordsOf(30, 45, { model_version: '2' }))
    // A late row of the old model, between the first rows of the new one.
    take(monitor, [recordOf(45, { shift: 80 })])
    take(monitor, recordsOf(46, 51, { model_version: '2' }))
    expect(monitor.safeOffset(0)).toBe(20n)
    take(monitor, recordsOf(51, 71, { model_version: '2' }))
    expect(monitor.safeOffset(0)).toBe(71n)
    const back = take(monitor, recordsOf(71, 91, { shift: 80 }))
    expect(verdicts(back.results)).toEqual(['drifted'])
    expect(back.results[0]!.alarm).toBeNull()
  })
})

describe('a restart', () => {
  const restore = (step: MonitorStep, changed: Partial<DriftThresholds> = {}) => {
    const about = { task, thresholds: { ...thresholds, ...changed } }
    const read = readCheckpoint(JSON.parse(JSON.stringify(step.checkpoint())), about)
    if (read.status === 'refused') throw new Error(read.reason)
    return createDriftMonitor({ ...about, restored: read.restored })
  }

  it('from the safe offset closes the same windows', () => {
    const all = recordsOf(0, 200, { shift: 80 })
    const monitor = create()
    const step = take(monitor, all.slice(0, 35))
    const restarted = restore(step)
    const from = Number(monitor.safeOffset(0))
    expect(from).toBe(20)
    const { results } = take(restarted, all.slice(from), 5)
    const uninterrupted = take(monitor, all.slice(35), 5)
    expect(results).toEqual(uninterrupted.results)
    expect(results[0]!.event).not.toBeNull()
  })

  it('keeps the cool-down', () => {
    const monitor = create()
    const step = take(monitor, recordsOf(0, 40, { shift: 80 }), 100)
    const early = take(restore(step), recordsOf(40, 60, { shift: 80 }), 1099)
    expect(early.results.map(({ alarm }) => alarm)).toEqual([null])
    const due = take(restore(step), recordsOf(40, 60, { shift: 80 }), 1100)
    expect(due.results[0]!.alarm).toMatchObject({ consecutiveWindows: 3, onsetEventTime: 10_001 })
  })

  it('from an offset before the safe one takes no row into a second window', () => {
    const all = recordsOf(0, 70)
    const step = take(create(), all.slice(0, 45))
    const again = take(restore(step), all)
    expect(again.counts).toMatchObject({ repeated: 40, windowed: 30 })
    expect(again.results[0]!.assessment.lastEventId).toBe('e0-59')
  })

  it('still knows the copies of an aborted transaction', () => {
    const step = take(create(), recordsOf(0, 20))
    const copies = Array.from({ length: 5 }, (_, k) => recordOf(15 + k, {}, 20 + k))
    expect(take(restore(step), copies).counts.repeated).toBe(5)
  })

  it('under other thresholds leaves the rows behind, but not what was read', () => {
    const step = take(create(), recordsOf(0, 20, { shift: 80 }))
    const restarted = restore(step, { minStatistic: 0.2 })
    expect(restarted.safeOffset(0)).toBe(20n)
    expect(take(restarted, recordsOf(20, 40, { shift: 80 })).results[0]!.alarm).toBeNull()
  })

  it("does without a checkpoint that is none, or another task's", () => {
    const about = { task, thresholds }
    for (const value of [null, {}, [], 'text', { format: 2 }]) {
      expect(readCheckpoint(value, about).status).toBe('refused')
    }
    const other = take(create(), []).checkpoint()
    expect(readCheckpoint({ ...other, task: 'animals' }, about)).toMatchObject({ status: 'refused', reason: /animals/ })
    expect(
      readCheckpoint({ ...other, closed: { '0': { offset: '-1', sourceOffset: 0, scoredAt: 0 } } }, about).status,
    ).toBe('refused')
  })

  it('anywhere, any number of times, puts every row of a version into exactly one window', () => {
    const partitions = 3
    const perPartition = 60
    const turn = fc.record({
      partition: fc.integer({ min: 0, max: partitions - 1 }),
      count: fc.integer({ min: 1, max: 25 }),
      end: fc.constantFrom('committed', 'not committed', 'crashed before storing', 'restarted'),
    })
    fc.assert(
      fc.property(fc.array(turn, { minLength: 5, maxLength: 60 }), (turns) => {
        const logs = Array.from({ length: partitions }, (_, partition) => recordsOf(0, perPartition, { partition }))
        const committed = logs.map(() => 0)
        let positions = [...committed]
        let monitor = create()
        let stored: MonitorStep | null = null
        const closedRows: number[] = []
        const restart = () => {
          monitor = stored === null ? create() : restore(stored)
          positions = [...committed]
        }
        for (const { partition, count, end } of turns) {
          const batch = logs[partition]!.slice(positions[partition]!, positions[partition]! + count)
          if (batch.length === 0) continue
          const step = monitor.accept(batch, { referenceFor, at: 0 })
          if (end === 'crashed before storing') {
            restart()
            continue
          }
          if (step.results.length > 0) stored = step
          closedRows.push(...step.results.map(({ assessment }) => assessment.rows))
          monitor.keep(step)
          positions[partition] = positions[partition]! + batch.length
          if (end !== 'not committed') committed[partition] = Number(monitor.safeOffset(partition))
          if (end === 'restarted') restart()
        }
        restart()
        for (const [partition, log] of logs.entries()) {
          const step = take(monitor, log.slice(positions[partition]))
          closedRows.push(...step.results.map(({ assessment }) => assessment.rows))
        }
        expect(closedRows).toEqual(
          Array.from({ length: (partitions * perPartition) / thresholds.windowRows }, () => 20),
        )
      }),
    )
  })
})
