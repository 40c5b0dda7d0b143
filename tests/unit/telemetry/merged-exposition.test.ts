import { describe, expect, it } from 'vitest'
import { mergeExpositions } from '../../../src/telemetry/merged-exposition.ts'
import { createStreamMetrics } from '../../../src/telemetry/metrics.ts'
import { parseExposition, sampleOf } from '../../support/exposition.ts'

const pageOf = async (records: number): Promise<string> => {
  const metrics = createStreamMetrics('plants', 'score')
  metrics.scoring.scored({ modelVersion: '4', byClass: new Map([['tree', records]]) })
  metrics.scoring.stage('score', 0.002)
  return metrics.text()
}

describe('the metrics of several processes on one page', () => {
  it('keep every series, told apart by the worker', async () => {
    const page = mergeExpositions([
      { worker: 'score-1', text: await pageOf(3) },
      { worker: 'score-2', text: await pageOf(5) },
    ])
    const exposed = parseExposition(page)
    const scored = { outcome: 'scored' }
    expect(sampleOf(exposed, 'driftline_events_total', { ...scored, worker: 'score-1' })).toBe(3)
    expect(sampleOf(exposed, 'driftline_events_total', { ...scored, worker: 'score-2' })).toBe(5)
    const alone = parseExposition(await pageOf(3))
    expect(exposed.samples).toHaveLength(2 * alone.samples.length)
    expect(exposed.samples.every((sample) => sample.labels['task'] === 'plants')).toBe(true)
  })

  it('stand together by metric, under one HELP and one TYPE', async () => {
    const page = mergeExpositions([
      { worker: 'score-1', text: await pageOf(3) },
      { worker: 'score-2', text: await pageOf(5) },
    ])
    const lines = page.split('\n')
    const types = lines.filter((line) => line.startsWith('# TYPE'))
    expect(new Set(types).size).toBe(types.length)
    const inOrder = lines
      .filter((line) => line.startsWith('driftline_events_total') || line.startsWith('# TYPE'))
      .map((line) => (line.startsWith('#') ? 'type' : 'events'))
    const first = inOrder.indexOf('events')
    expect(inOrder.lastIndexOf('events') - first).toBe(3)
  })

  it('escape what a label cannot hold as it is, and label series that have none', () => {
    expect(mergeExpositions([{ worker: 'a"\\\n', text: '# TYPE up gauge\nup 1\n' }])).toBe(
      '# TYPE up gauge\nup{worker="a\\"\\\\\\n"} 1\n',
    )
  })

  it('are nothing where nobody answered', () => {
    expect(mergeExpositions([])).toBe('')
  })
})
