import { describe, expect, it } from 'vitest'
import type { WindowAssessment } from '../../../src/drift/assess-window.ts'
import {
  type Alarm,
  type DetectorState,
  initialDetectorState,
  retireVersion,
  step,
} from '../../../src/drift/detector.ts'
import { toDriftEvent } from '../../../src/drift/drift-event.ts'

const thresholds = { consecutiveWindows: 2, coolDownMs: 1000 }

const windowOf = (verdict: WindowAssessment['verdict'], at: number, modelVersion = '1'): WindowAssessment => ({
  modelVersion,
  rows: 200,
  firstEventTime: at - 50,
  lastEventTime: at,
  lastEventId: `e${at}`,
  features: [
    {
      feature: 'height',
      test: 'ks',
      statistic: 0.4,
      pValue: 1e-9,
      adjustedPValue: 2e-9,
      drifted: true,
      psi: 0.5,
      missing: 0,
    },
  ],
  untested: [],
  drifted: verdict === 'drifted',
  verdict,
})

type Observed = [verdict: WindowAssessment['verdict'], at: number, modelVersion?: string]

/** Runs windows through the detector, with the state going through JSON each time, as over a restart. */
const run = (windows: readonly Observed[], from: DetectorState = initialDetectorState) => {
  const alarms: Alarm[] = []
  let state = from
  for (const [verdict, at, version] of windows) {
    const next = step(state, windowOf(verdict, at, version), thresholds, at)
    state = JSON.parse(JSON.stringify(next.state))
    if (next.alarm !== null) alarms.push(next.alarm)
  }
  return { alarms, state }
}

describe('the detector', () => {
  it('alarms at the second drifted window in a row, and tells since when', () => {
    const { alarms } = run([
      ['quiet', 100],
      ['drifted', 200],
      ['drifted', 300],
    ])
    expect(alarms).toHaveLength(1)
    expect(alarms[0]).toMatchObject({
      detectedAt: 300,
      modelVersion: '1',
      consecutiveWindows: 2,
      onsetEventTime: 150,
      lastEventTime: 300,
      lastEventId: 'e300',
    })
  })

  it('does not count windows with a quiet one between them', () => {
    const { alarms } = run([
      ['drifted', 100],
      ['quiet', 200],
      ['drifted', 300],
    ])
    expect(alarms).toEqual([])
  })

  it('counts on over a window that says nothing', () => {
    const { alarms } = run([
      ['drifted', 100],
      ['insufficient', 200],
      ['drifted', 300],
    ])
    expect(alarms.map((alarm) => alarm.onsetEventTime)).toEqual([50])
  })

  it('stays silent in the cool-down, and alarms again after it if the drift lasts', () => {
    const windows = Array.from({ length: 25 }, (_, k): Observed => ['drifted', 100 * (k + 1)])
    const { alarms } = run(windows)
    expect(alarms.map((alarm) => alarm.detectedAt)).toEqual([200, 1200, 2200])
    expect(alarms.map((alarm) => alarm.consecutiveWindows)).toEqual([2, 12, 22])
    expect(alarms.every((alarm) => alarm.onsetEventTime === 50)).toBe(true)
  })

  it('needs a full row again after the drift was over', () => {
    const { alarms } = run([
      ['drifted', 100],
      ['drifted', 200],
      ['quiet', 1300],
      ['drifted', 1400],
      ['quiet', 1500],
    ])
    expect(alarms).toHaveLength(1)
  })

  it('begins a row anew for another model version, and keeps the cool-down', () => {
    const { alarms } = run([
      ['drifted', 100, '1'],
      ['drifted', 200, '2'],
      ['drifted', 300, '2'],
      ['drifted', 400, '1'],
      ['drifted', 1300, '1'],
    ])
    expect(alarms.map((alarm) => [alarm.modelVersion, alarm.detectedAt, alarm.onsetEventTime])).toEqual([
      ['2', 300, 150],
      ['1', 1300, 50],
    ])
  })

  it('forgets the row of a retired version', () => {
    const { state } = run([['drifted', 100]])
    expect(state.rows).toEqual({ '1': { windows: 1, onsetEventTime: 50 } })
    expect(run([['drifted', 200]], retireVersion(state, '1')).alarms).toEqual([])
    expect(run([['drifted', 200]], state).alarms).toHaveLength(1)
  })

  it('is not silenced by a clock that was set back', () => {
    const { alarms } = run([
      ['drifted', 1_000_000],
      ['drifted', 1_000_100],
      ['drifted', 500],
    ])
    expect(alarms.map((alarm) => alarm.detectedAt)).toEqual([1_000_100, 500])
  })
})

describe('the drift event', () => {
  const [alarm] = run([
    ['drifted', 100],
    ['drifted', 200],
  ]).alarms
  const about = {
    task: 'plants',
    thresholds: { ...thresholds, windowRows: 200, alpha: 0.01, correction: 'benjamini-hochberg', minStatistic: 0.15 },
  } as const

  it('carries the alarm and the thresholds', () => {
    expect(toDriftEvent(alarm!, about)).toEqual({
      drift_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      detected_at: 200,
      model_version: '1',
      window_rows: 200,
      consecutive_windows: 2,
      onset_event_time: 50,
      last_event_time: 200,
      last_event_id: 'e200',
      alpha: 0.01,
      correction: 'benjamini-hochberg',
      min_statistic: 0.15,
      features: [
        { feature: 'height', statistic: 0.4, p_value: 1e-9, adjusted_p_value: 2e-9, drifted: true, test: 'ks' },
      ],
    })
  })

  it('has the same id when it is raised again, and another for another task, version or window', () => {
    const idOf = (change: Partial<Alarm>, task = 'plants') =>
      toDriftEvent({ ...alarm!, ...change }, { ...about, task }).drift_id
    expect(idOf({ detectedAt: 999, consecutiveWindows: 7 })).toBe(idOf({}))
    const ids = [idOf({}), idOf({ modelVersion: '2' }), idOf({ lastEventId: 'e201' }), idOf({}, 'animals')]
    expect(new Set(ids).size).toBe(4)
  })
})
