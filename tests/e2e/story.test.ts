import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PrintedStory } from '../../src/cli/story/story-result.ts'
import { metricNamesInDashboards } from '../support/dashboards.ts'
import { type DriftlineRun, lastLine, runDriftline } from '../support/driftline.ts'
import { parseExposition } from '../support/exposition.ts'
import { roleOf } from '../support/running-roles.ts'
import { createTestTask } from '../support/task-file.ts'

const task = createTestTask()
let run: DriftlineRun
/** Names of all metric families that the roles expose while the story runs, by role. */
const exposed = new Map<string, Set<string>>()
let exitCode: number
let result: PrintedStory

beforeAll(async () => {
  run = runDriftline(task, ['start', '--once'])
  for (const name of ['score', 'record', 'watch', 'retrain', 'ingress']) {
    const { url } = await roleOf(task, name)
    const { families } = parseExposition(await (await fetch(`${url}/metrics`)).text())
    exposed.set(name, new Set(families.keys()))
  }
  exitCode = await run.ended
  result = JSON.parse(lastLine(run.stdout())) as PrintedStory
}, 280_000)

afterAll(async () => {
  run.child.kill('SIGTERM')
  await run.ended
  task.remove()
})

describe('the story', () => {
  test('ends well', () => {
    expect({ exitCode, problems: run.stderr().match(/problem: .*/g) }).toEqual({ exitCode: 0, problems: null })
  })

  test('loses nothing and gives nothing twice', () => {
    expect(result).toMatchObject({ lost: 0, duplicated: 0, dead_lettered: 4 })
    expect(result.predictions_out).toBe(result.events_in - 4)
  })

  test('finds the drift after it began and within three windows', () => {
    expect(result.drift_detected_at_event).toBeGreaterThanOrEqual(result.drift_injected_at_event)
    expect(result.drift_detected_at_event).toBeLessThanOrEqual(result.drift_injected_at_event + 3 * 200)
  })

  test('a retraining job brings the accuracy back', () => {
    expect(result.retrain_job_id).not.toBeNull()
    expect(result.versions).toEqual(['1', '2'])
    expect(result.swap_ms).toBeGreaterThanOrEqual(0)
    expect(result.accuracy_during).toBeLessThan((result.accuracy_before ?? 0) - 0.1)
    expect(result.accuracy_after).toBeGreaterThanOrEqual((result.accuracy_before ?? 1) - 0.03)
  })

  test('its last line has the agreed keys', () => {
    expect(Object.keys(result)).toEqual([
      'events_in',
      'predictions_out',
      'dead_lettered',
      'lost',
      'duplicated',
      'drift_detected_at_event',
      'drift_injected_at_event',
      'retrain_job_id',
      'versions',
      'swap_ms',
      'accuracy_before',
      'accuracy_during',
      'accuracy_after',
      'seconds',
    ])
  })
})

test('every metric that a dashboard asks for is exposed by a running role', () => {
  const all = new Set([...exposed.values()].flatMap((names) => [...names]))
  const asked = metricNamesInDashboards(task.task).map((name) => name.replace(/_(bucket|sum|count)$/, ''))
  // The role `shadow` runs where somebody asked for it, and has a test of its own.
  const ofOtherRoles = (name: string): boolean => name.startsWith('driftline_shadow_')
  expect(asked.filter((name) => !all.has(name) && !ofOtherRoles(name))).toEqual([])
  expect(asked.length).toBeGreaterThan(20)
})
