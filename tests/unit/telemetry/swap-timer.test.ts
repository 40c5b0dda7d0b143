import { expect, test } from 'vitest'
import { createSwapTimer } from '../../../src/telemetry/swap-timer.ts'

const timer = () => {
  const seen: number[] = []
  const clock = { ms: 0 }
  return {
    seen,
    clock,
    ...createSwapTimer(
      (seconds) => seen.push(seconds),
      () => clock.ms,
    ),
  }
}

test('counts from the news to the first predictions by the version, once', () => {
  const { seen, clock, swapped, committed } = timer()
  committed({ version: '2', eventAgeMs: 500 })
  clock.ms = 100
  swapped({ version: '2', agoMs: 40 })
  clock.ms = 130
  committed({ version: '1', eventAgeMs: 500 })
  expect(seen).toEqual([])
  clock.ms = 150
  committed({ version: '2', eventAgeMs: 500 })
  committed({ version: '2', eventAgeMs: 500 })
  expect(seen).toEqual([0.09])
})

test('an idle stream is no slow swap: its first event counts from when it was written', () => {
  const { seen, clock, swapped, committed } = timer()
  swapped({ version: '2', agoMs: 40 })
  clock.ms = 3_600_000
  committed({ version: '2', eventAgeMs: 8 })
  expect(seen).toEqual([0.008])
})

test('an event of a clock that goes ahead counts as just written', () => {
  const { seen, clock, swapped, committed } = timer()
  swapped({ version: '2', agoMs: 0 })
  clock.ms = 20
  committed({ version: '2', eventAgeMs: -5000 })
  expect(seen).toEqual([0])
})
