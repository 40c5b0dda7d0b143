import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createInstanceScoring } from '../../../src/api/score-instances.ts'
import type { FeatureEvent } from '../../../src/events.ts'
import { scoring } from '../../../streams/scoring.ts'
import { fixedNow, sampleModel, sampleTask } from '../../support/ingress-under-test.ts'
import { createSampleCodecs } from '../../support/sample-codecs.ts'

const features = sampleTask.features
const now = () => fixedNow
const overHttp = createInstanceScoring({ features, now, newId: () => 'made-up' })
const codecs = await createSampleCodecs({ task: 'plants', features })
const topology = scoring({ topics: codecs.topics, features, currentModel: () => sampleModel, now })

const asAvro = (event: object): Uint8Array => codecs.features.encode(event as FeatureEvent).slice()

const overStream = (values: readonly (Uint8Array | string)[]) => {
  const batch = codecs.batchOf(values)
  return codecs.published(topology.process(codecs.eventRows().read(batch).rows), batch)
}

// JSON knows no -0.
const number = (limits: fc.DoubleConstraints) => fc.double({ ...limits, noNaN: true }).map((value) => value + 0)

const event = fc.record({
  event_id: fc.uuid(),
  event_time: fc.constant(fixedNow),
  height: number({ min: 0, max: 30 }),
  weight: number({ noDefaultInfinity: true }),
  age: fc.option(number({ min: 0, max: 100 })),
})

describe('an event', () => {
  it('gets the same prediction over HTTP as on the stream, but for where it came from', () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 20 }), (events) => {
        const streamed = overStream(
          events.map((one, i) => (i % 2 === 1 ? JSON.stringify(one) : asAvro(one))),
        ).predictions.map((prediction) => ({
          ...prediction,
          ...{ source_partition: null, source_offset: null },
        }))
        const instances = events.map(({ event_time: _, ...instance }) => instance)
        expect(overHttp(sampleModel, instances, true)).toEqual(streamed)
      }),
    )
  })

  it.each([
    ['out of range', asAvro, { height: 31, weight: 1, age: null }],
    ['missing', JSON.stringify, { height: 1, weight: null }],
    ['text', JSON.stringify, { height: 1, weight: 'heavy' }],
    ['not finite', asAvro, { height: 1, weight: Number.POSITIVE_INFINITY, age: null }],
  ])('is refused by both with the same code and reason where a value is %s', (_name, write, values) => {
    const { refused } = overStream([write({ event_id: 'e', event_time: fixedNow, ...values })])
    const attempt = () => overHttp(sampleModel, [values], false)
    expect(attempt).toThrowError(expect.objectContaining({ faults: [expect.objectContaining(refused.get(0))] }))
    expect(refused.get(0)?.code).toMatch(/^FEATURE_/)
  })
})
