import { expect, test } from 'vitest'
import { phaseOf } from '../../../../src/cli/story/story-phase.ts'
import { badValue } from '../../../../src/cli/story/story-records.ts'
import {
  figuresByPhase,
  printableStory,
  problemsOf,
  remarksOn,
  type StoryResult,
} from '../../../../src/cli/story/story-result.ts'
import { createStorySource } from '../../../../src/cli/story/story-source.ts'
import type { FeatureSpec } from '../../../../src/features/feature-spec.ts'

const good: StoryResult = {
  events_in: 5000,
  predictions_out: 4996,
  dead_lettered: 4,
  lost: 0,
  duplicated: 0,
  drift_detected_at_event: 2500,
  drift_injected_at_event: 2001,
  retrain_job_id: '1',
  versions: ['1', '2'],
  swap_ms: 40,
  figures: { metric: 'accuracy', before: 0.96, during: 0.5, after: 0.94 },
  seconds: 30,
}
const limits = { windowRows: 200, windows: 3, accuracyTolerance: 0.03, finished: true }

test('a story that went well has no problems', () => {
  expect(problemsOf(good, limits)).toEqual([])
})

test.each<[Partial<StoryResult>, string]>([
  [{ lost: 1 }, 'came out nowhere'],
  [{ duplicated: 2 }, 'more than once'],
  [{ figures: { ...good.figures, after: null } }, 'no new model'],
  [{ figures: { ...good.figures, after: 0.92 } }, 'accuracy did not recover'],
  [{ figures: { metric: 'r2', before: 0.6, during: 0, after: 0.5 } }, 'r2 did not recover: 0.6 before, 0.5 after'],
])('%o is a problem', (change, expected) => {
  expect(problemsOf({ ...good, ...change }, limits).join()).toContain(expected)
})

test.each<[Partial<StoryResult>, string]>([
  [{ drift_detected_at_event: null }, 'not detected'],
  [{ drift_detected_at_event: 1999 }, 'before there was drift'],
  [{ drift_detected_at_event: 2602 }, '601 events after'],
])('%o is remarked', (change, expected) => {
  expect(remarksOn({ ...good, ...change }, limits).join()).toContain(expected)
})

test('a drift that was found in time needs no remark', () => {
  expect(remarksOn({ ...good, drift_detected_at_event: 2601 }, limits)).toEqual([])
})

test('a story that gave up has a problem', () => {
  expect(problemsOf(good, { ...limits, finished: false }).join()).toContain('gave up')
})

const phases = { injectedAt: 3, baseVersion: '1', newVersion: '2' }

test('accuracy is split at the shift and at the swap', () => {
  const outcome = (event: number, modelVersion: string, prediction: string) => ({
    event,
    modelVersion,
    prediction,
    label: 'a',
  })
  const outcomes = [
    outcome(1, '1', 'a'),
    outcome(2, '1', 'a'),
    outcome(3, '1', 'b'),
    outcome(4, '1', 'a'),
    outcome(5, '2', 'a'),
  ]
  expect(figuresByPhase('accuracy', outcomes, phases)).toEqual({ metric: 'accuracy', before: 1, during: 0.5, after: 1 })
  expect(figuresByPhase('accuracy', [], { ...phases, newVersion: null }).after).toBeNull()
})

test('of numbers the explained variance is split alike', () => {
  const outcome = (event: number, modelVersion: string, prediction: number, label: number) => ({
    event,
    modelVersion,
    prediction: String(prediction),
    label: String(label),
  })
  const outcomes = [
    outcome(1, '1', 10, 10),
    outcome(2, '1', 20, 20),
    // Off by 5 each, about a mean of 15: 1 - 50 / 50.
    outcome(3, '1', 15, 10),
    outcome(4, '1', 25, 20),
    outcome(5, '2', 10, 10),
    outcome(6, '2', 21, 20),
  ]
  expect(figuresByPhase('r2', outcomes, phases)).toEqual({ metric: 'r2', before: 1, during: 0, after: 0.98 })
})

test('the printed figures carry the name of their metric, before the seconds', () => {
  expect(Object.keys(printableStory(good)).slice(-4)).toEqual([
    'accuracy_before',
    'accuracy_during',
    'accuracy_after',
    'seconds',
  ])
  const figures = { metric: 'r2', before: 0.5, during: null, after: -0.25 } as const
  expect(printableStory({ ...good, figures })).toMatchObject({ r2_before: 0.5, r2_during: null, r2_after: -0.25 })
})

test('the phases follow each other, and the story gives up in the end', () => {
  const plan = { normalEvents: 10, recoveryEvents: 5, maxEvents: 100 }
  expect(phaseOf({ sent: 9, sentAtSwap: null }, plan)).toBe('normal')
  expect(phaseOf({ sent: 10, sentAtSwap: null }, plan)).toBe('shifted')
  expect(phaseOf({ sent: 40, sentAtSwap: 36 }, plan)).toBe('recovered')
  expect(phaseOf({ sent: 41, sentAtSwap: 36 }, plan)).toBe('over')
  expect(phaseOf({ sent: 100, sentAtSwap: null }, plan)).toBe('failed')
})

test('events carry the shift of the features it names, within their range', () => {
  let state = 1
  const random = () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
  const source = createStorySource({
    features: [
      { name: 'a', type: 'double', nullable: false },
      { name: 'b', type: 'double', nullable: false, range: [0, 12] },
    ],
    rows: [
      { values: { a: 1, b: 10 }, label: 'x' },
      { values: { a: 2, b: 11 }, label: 'y' },
    ],
    jitterSd: 0.01,
    shift: { b: 5 },
    random,
  })
  for (let count = 0; count < 100; count += 1) {
    const normal = source.next(false)
    expect(normal.values['a']).toBeCloseTo(normal.label === 'x' ? 1 : 2, 0)
    expect(source.next(true).values['b']).toBe(12)
  }
})

test('a category is drawn as it is, and a missing value stays missing', () => {
  const source = createStorySource({
    features: [
      { name: 'town', type: 'category', categories: ['north'], nullable: true },
      { name: 'size', type: 'double', nullable: false },
    ],
    rows: [
      { values: { town: 'north', size: 1 }, label: '7.5' },
      { values: { town: null, size: 1 }, label: '7.5' },
    ],
    jitterSd: 0.05,
    shift: { size: 1 },
    random: Math.random,
  })
  const towns = new Set(Array.from({ length: 100 }, () => source.next(true).values['town']))
  expect([...towns].sort()).toEqual(['north', null])
})

const encode = () => new Uint8Array([0])

test.each<[string, FeatureSpec[], unknown]>([
  ['a number is NaN', [{ name: 'a', type: 'double', nullable: true }], { a: Number.NaN }],
  [
    'a category is a number where there are no numbers',
    [{ name: 'town', type: 'category', categories: ['north'], nullable: true }],
    { town: 0 },
  ],
])('the wrong value of a bad record: %s', (_name, features, expected) => {
  const example = { event_id: 'e', event_time: 1, a: 1, town: 'north' }
  const encoded: unknown[] = []
  const value = badValue(3, example, features, (event) => {
    encoded.push(event)
    return encode()
  })
  expect(encoded[0] ?? JSON.parse(Buffer.from(value).toString())).toMatchObject(expected as object)
})
