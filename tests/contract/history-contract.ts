import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import type { Label } from '../../src/events.ts'
import type { HistoryStore, PredictionRow } from '../../src/history/history-types.ts'
import { labelOf, predictionRow } from '../support/history-rows.ts'

const range = (length: number): number[] => Array.from({ length }, (_, n) => n)

/** What every history has to do. `factory` opens a new, empty one each time. */
export const describeHistoryStore = (name: string, factory: () => Promise<HistoryStore>): void => {
  describe(`history: ${name}`, () => {
    let history: HistoryStore
    beforeEach(async () => {
      history = await factory()
    })
    afterEach(async () => {
      await history.close()
    })

    it('answers an empty history with nothing', async () => {
      await history.recordPredictions([])
      await history.recordLabels([])
      expect(await history.counts()).toEqual({ predictions: 0, labels: 0, labelled: 0 })
      expect(await history.liveAccuracy({ window: 10 })).toEqual({
        overall: { labelled: 0, correct: 0, accuracy: null },
        by_version: [],
      })
      expect(await history.liveErrors({ window: 10 })).toEqual({
        overall: { labelled: 0, rmse: null, r2: null },
        by_version: [],
      })
      expect(await history.labelledRows({ limit: 10 })).toEqual([])
      expect(await history.predictions({ limit: 10 })).toEqual({ predictions: [], next: null })
    })

    /** A predicted number; its label is text, as labels are. */
    const numberRow = (n: number, value: number, changes: Partial<PredictionRow> = {}): PredictionRow =>
      predictionRow(n, {
        prediction: String(value),
        class_index: null,
        confidence: null,
        probabilities: [],
        value,
        features: [n, 'north', null],
        ...changes,
      })

    it('gives back predicted numbers and categories as they were recorded', async () => {
      const row = numberRow(1, -2.5e-7)
      await history.recordPredictions([row])
      await history.recordLabels([labelOf(1, { label: '1e3' })])
      expect((await history.predictions({ limit: 10 })).predictions).toEqual([{ ...row, label: '1e3' }])
      expect(await history.labelledRows({ limit: 10 })).toMatchObject([
        { value: -2.5e-7, label: '1e3', features: [1, 'north', null] },
      ])
    })

    it('measures the errors of predicted numbers, in all and by version', async () => {
      const far = 1e9
      await history.recordPredictions([
        numberRow(1, far + 10),
        numberRow(2, far + 25),
        numberRow(3, far + 30, { model_version: '2' }),
        numberRow(4, far + 30),
        numberRow(4, far + 30, { prediction_id: 'shadow', model_version: '2', model_role: 'shadow' }),
        predictionRow(5),
      ])
      const labels = ['1000000010', '1.00000002e9', '1000000033', '1000000030', 'a']
      await history.recordLabels(labels.map((label, i) => labelOf(i + 1, { label })))
      const { overall, by_version } = await history.liveErrors({ window: 10 })
      // Errors 0, 5, -3 and 0; labels 10, 20, 33 and 30 about a mean of 23.25.
      expect(overall).toEqual({
        labelled: 4,
        rmse: expect.closeTo(Math.sqrt(34 / 4), 9),
        r2: expect.closeTo(1 - 34 / 326.75, 9),
      })
      // Version 1: labels 10, 20 and 30, errors 0, 5 and 0. Version 2: labels 33 and 30, errors -3 and 0.
      expect(by_version).toEqual([
        { model_version: '1', labelled: 3, rmse: expect.closeTo(Math.sqrt(25 / 3), 9), r2: expect.closeTo(0.875, 9) },
        { model_version: '2', labelled: 2, rmse: expect.closeTo(Math.sqrt(4.5), 9), r2: expect.closeTo(-1, 9) },
      ])
    })

    it('tells no R2 where the labels do not vary', async () => {
      await history.recordPredictions([numberRow(1, 3), numberRow(2, 5)])
      await history.recordLabels([labelOf(1, { label: '4' }), labelOf(2, { label: '4' })])
      expect((await history.liveErrors({ window: 10 })).overall).toEqual({ labelled: 2, rmse: 1, r2: null })
      expect((await history.liveErrors({ window: 1 })).overall).toEqual({ labelled: 1, rmse: 1, r2: null })
    })

    it('tells no R2 either where the mean of like labels is rounded', async () => {
      const rows = [1, 2, 3]
      await history.recordPredictions(rows.map((n) => numberRow(n, 1.1)))
      await history.recordLabels(rows.map((n) => labelOf(n, { label: '0.1' })))
      const { overall, by_version } = await history.liveErrors({ window: 10 })
      expect(overall).toEqual({ labelled: 3, rmse: expect.closeTo(1, 12), r2: null })
      expect(by_version).toMatchObject([{ labelled: 3, r2: null }])
    })

    it('gives back what was recorded, missing values and absent sources included', async () => {
      const sync = predictionRow(1, { prediction_id: 'http-e1', source_partition: null, source_offset: null })
      await history.recordPredictions([sync])
      await history.recordLabels([labelOf(1, { label: 'b' })])
      expect((await history.predictions({ limit: 10 })).predictions).toEqual([{ ...sync, label: 'b' }])
      expect(await history.labelledRows({ limit: 10 })).toEqual([
        {
          event_id: 'e1',
          event_time: 1001,
          labelled_at: 5001,
          features: [1, null],
          prediction: 'a',
          value: null,
          model_version: '1',
          label: 'b',
        },
      ])
    })

    it('keeps one row for a prediction_id, the last one', async () => {
      await history.recordPredictions([predictionRow(1), predictionRow(1, { prediction: 'b', model_version: '2' })])
      await history.recordPredictions([predictionRow(1, { prediction: 'b', model_version: '3' })])
      const { predictions } = await history.predictions({ limit: 10 })
      expect(predictions.map((row) => row.model_version)).toEqual(['3'])
      expect(await history.counts()).toMatchObject({ predictions: 1 })
    })

    it('joins a label that came before its prediction', async () => {
      await history.recordLabels([labelOf(1), labelOf(2)])
      expect(await history.counts()).toEqual({ predictions: 0, labels: 2, labelled: 0 })
      await history.recordPredictions([predictionRow(1)])
      expect(await history.counts()).toEqual({ predictions: 1, labels: 2, labelled: 1 })
      expect((await history.liveAccuracy({ window: 10 })).overall).toEqual({ labelled: 1, correct: 1, accuracy: 1 })
    })

    it('lets the latest labelled_at win, in whatever order the labels come', async () => {
      await history.recordPredictions([predictionRow(1), predictionRow(2)])
      await history.recordLabels([labelOf(1, { label: 'b', labelled_at: 20 }), labelOf(2, { labelled_at: 10 })])
      await history.recordLabels([labelOf(1, { label: 'a', labelled_at: 10 })])
      await history.recordLabels([labelOf(2, { label: 'b', labelled_at: 20 })])
      const rows = await history.labelledRows({ limit: 10 })
      expect(rows.map((row) => [row.event_id, row.label, row.labelled_at])).toEqual([
        ['e2', 'b', 20],
        ['e1', 'b', 20],
      ])
    })

    it('counts an event once although its producer sent it twice', async () => {
      await history.recordPredictions([
        predictionRow(1, { prediction: 'b', scored_at: 10 }),
        predictionRow(7, { event_id: 'e1', prediction: 'a', scored_at: 11 }),
      ])
      await history.recordLabels([labelOf(1)])
      expect(await history.liveAccuracy({ window: 10 })).toEqual({
        overall: { labelled: 1, correct: 1, accuracy: 1 },
        by_version: [{ model_version: '1', labelled: 1, correct: 1, accuracy: 1 }],
      })
      expect(await history.countLabelled({})).toBe(1)
      expect((await history.labelledRows({ limit: 10 })).map((row) => row.prediction)).toEqual(['a'])
    })

    it('takes the row recorded last among predictions of one instant', async () => {
      await history.recordLabels([labelOf(1)])
      await history.recordPredictions([
        predictionRow(1, { prediction: 'b', scored_at: 10 }),
        predictionRow(7, { event_id: 'e1', prediction: 'a', scored_at: 10 }),
      ])
      expect((await history.liveAccuracy({ window: 10 })).overall.correct).toBe(1)
    })

    it('judges each version that scored an event, but overall only the prediction that was served last', async () => {
      await history.recordPredictions([
        predictionRow(1, { prediction: 'b', model_version: '1', scored_at: 10 }),
        predictionRow(2, { event_id: 'e1', prediction: 'a', model_version: '2', scored_at: 11 }),
        predictionRow(3, { event_id: 'e1', prediction: 'b', model_version: '3', scored_at: 12, model_role: 'shadow' }),
      ])
      await history.recordLabels([labelOf(1)])
      expect(await history.liveAccuracy({ window: 10 })).toEqual({
        overall: { labelled: 1, correct: 1, accuracy: 1 },
        by_version: [
          { model_version: '1', labelled: 1, correct: 0, accuracy: 0 },
          { model_version: '2', labelled: 1, correct: 1, accuracy: 1 },
          { model_version: '3', labelled: 1, correct: 0, accuracy: 0 },
        ],
      })
    })

    it('does not take an event for labelled that only shadows scored', async () => {
      await history.recordLabels([labelOf(1)])
      await history.recordPredictions([predictionRow(1, { model_role: 'shadow' })])
      expect(await history.countLabelled({})).toBe(0)
      await history.recordPredictions([predictionRow(2, { event_id: 'e1' })])
      expect(await history.countLabelled({})).toBe(1)
    })

    it('measures accuracy over the labels that arrived last, whatever time they carry', async () => {
      await history.recordPredictions(range(10).map((n) => predictionRow(n)))
      await history.recordLabels([labelOf(9, { label: 'b', labelled_at: 9e12 })])
      await history.recordLabels(range(5).map((n) => labelOf(n, { label: n < 3 ? 'b' : 'a' })))
      expect((await history.liveAccuracy({ window: 2 })).overall).toEqual({ labelled: 2, correct: 2, accuracy: 1 })
      expect((await history.liveAccuracy({ window: 5 })).overall).toEqual({ labelled: 5, correct: 2, accuracy: 0.4 })
      expect((await history.liveAccuracy({ window: 50 })).overall.labelled).toBe(6)
    })

    it('does not let a redelivered label count as a new arrival', async () => {
      await history.recordPredictions(range(3).map((n) => predictionRow(n)))
      await history.recordLabels([labelOf(0, { label: 'b' })])
      await history.recordLabels([labelOf(1), labelOf(2)])
      await history.recordLabels([labelOf(0, { label: 'b' })])
      expect((await history.liveAccuracy({ window: 2 })).overall.correct).toBe(2)
    })

    it('lets a corrected label count as newly arrived', async () => {
      await history.recordPredictions(range(3).map((n) => predictionRow(n)))
      await history.recordLabels(range(3).map((n) => labelOf(n)))
      await history.recordLabels([labelOf(0, { label: 'b', labelled_at: 9000 })])
      expect((await history.liveAccuracy({ window: 1 })).overall).toEqual({ labelled: 1, correct: 0, accuracy: 0 })
      expect((await history.liveAccuracy({ window: 9 })).overall.labelled).toBe(3)
    })

    it('gives labelled rows newest event first, from a time on', async () => {
      await history.recordPredictions(range(10).map((n) => predictionRow(n)))
      await history.recordLabels([7, 2, 5, 3].map((n) => labelOf(n)))
      const since = { sinceEventTime: 1003 }
      expect((await history.labelledRows({ limit: 10, ...since })).map((row) => row.event_id)).toEqual([
        'e7',
        'e5',
        'e3',
      ])
      expect((await history.labelledRows({ limit: 2 })).map((row) => row.event_id)).toEqual(['e7', 'e5'])
      expect(await history.countLabelled(since)).toBe(3)
      expect(await history.countLabelled({})).toBe(4)
    })

    it('pages newest first, without gaps or repetitions, also within one instant', async () => {
      await history.recordPredictions(range(25).map((n) => predictionRow(n, { scored_at: 2000 + Math.floor(n / 10) })))
      const seen: string[] = []
      let before: string | null = null
      let pages = 0
      do {
        const page = await history.predictions({ limit: 7, ...(before === null ? {} : { before }) })
        seen.push(...page.predictions.map((row) => row.event_id))
        before = page.next
        pages += 1
        // New rows must not shift the pages that follow.
        await history.recordPredictions([predictionRow(100 + pages, { scored_at: 9000 + pages })])
      } while (before !== null)
      expect(seen).toEqual(range(25).map((n) => `e${24 - n}`))
      expect(pages).toBe(4)
    })

    it('ends without a further page when the rows are used up', async () => {
      await history.recordPredictions(range(4).map((n) => predictionRow(n)))
      const first = await history.predictions({ limit: 2 })
      const second = await history.predictions({ limit: 2, before: first.next ?? '' })
      expect([first.next === null, second.next]).toEqual([false, null])
    })

    it('finds the predictions of one event', async () => {
      await history.recordPredictions([
        ...range(5).map((n) => predictionRow(n)),
        predictionRow(8, { event_id: 'e2', scored_at: 9000 }),
      ])
      const first = await history.predictions({ limit: 1, eventId: 'e2' })
      const second = await history.predictions({ limit: 1, eventId: 'e2', before: first.next ?? '' })
      const found = [...first.predictions, ...second.predictions].map((row) => row.prediction_id)
      expect(found).toEqual(['task.features-0-8', 'task.features-0-2'])
      expect(second.next).toBeNull()
    })

    it('refuses a cursor that it did not give', async () => {
      await expect(history.predictions({ limit: 1, before: 'nonsense' })).rejects.toMatchObject({
        code: 'HISTORY_CURSOR_INVALID',
      })
    })

    it('writes all rows of a batch or none', async () => {
      const bad = predictionRow(2, { event_time: 0.5 })
      await expect(history.recordPredictions([predictionRow(1), bad])).rejects.toThrow()
      expect(await history.counts()).toMatchObject({ predictions: 0 })
      await history.recordPredictions([predictionRow(1)])
      expect(await history.counts()).toMatchObject({ predictions: 1 })
    })

    it('agrees with a plain model of itself, in any order of arrival and redelivery', async () => {
      const prediction = fc.record({
        kind: fc.constant('prediction' as const),
        event: fc.integer({ min: 0, max: 4 }),
        source: fc.integer({ min: 0, max: 2 }),
        scored_at: fc.integer({ min: 0, max: 3 }),
        prediction: fc.constantFrom('a', 'b'),
        model_version: fc.constantFrom('1', '2'),
      })
      const label = fc.record({
        kind: fc.constant('label' as const),
        event: fc.integer({ min: 0, max: 4 }),
        label: fc.constantFrom('a', 'b'),
        labelled_at: fc.integer({ min: 0, max: 3 }),
      })
      await fc.assert(
        fc.asyncProperty(fc.array(fc.oneof(prediction, label), { maxLength: 30 }), async (steps) => {
          const fresh = await factory()
          try {
            const rows = new Map<string, PredictionRow & { recorded: number }>()
            const labels = new Map<string, Label>()
            for (const step of steps) {
              const event_id = `e${step.event}`
              if (step.kind === 'label') {
                const row = { event_id, label: step.label, labelled_at: step.labelled_at }
                await fresh.recordLabels([row])
                const known = labels.get(event_id)
                if (known === undefined || row.labelled_at >= known.labelled_at) labels.set(event_id, row)
              } else {
                const { scored_at, model_version } = step
                const prediction_id = `task.features-${step.event}-${step.source}`
                const changes = { prediction_id, event_id, scored_at, model_version, prediction: step.prediction }
                const row = predictionRow(step.event, changes)
                await fresh.recordPredictions([row])
                rows.set(prediction_id, { ...row, recorded: rows.get(prediction_id)?.recorded ?? rows.size })
              }
            }
            const latest = [...labels.values()].flatMap((known) => {
              const candidates = [...rows.values()].filter((row) => row.event_id === known.event_id)
              candidates.sort((a, b) => b.scored_at - a.scored_at || b.recorded - a.recorded)
              return candidates[0] === undefined ? [] : [{ right: candidates[0].prediction === known.label }]
            })
            const { overall } = await fresh.liveAccuracy({ window: 100 })
            expect(overall.labelled).toBe(latest.length)
            expect(overall.correct).toBe(latest.filter(({ right }) => right).length)
            expect(await fresh.counts()).toEqual({
              predictions: rows.size,
              labels: labels.size,
              labelled: latest.length,
            })
          } finally {
            await fresh.close()
          }
        }),
        { numRuns: 40, seed: 7 },
      )
    })
  })
}
