import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PrintedStory } from '../../src/cli/story/story-result.ts'
import { type DriftlineRun, lastLine, runDriftline } from '../support/driftline.ts'
import { parseExposition } from '../support/exposition.ts'
import { roleOf } from '../support/running-roles.ts'
import { createTestTask } from '../support/task-file.ts'

// A number is predicted, and one of the features is a category: the same story by another task file alone.
const task = createTestTask({}, 'diabetes')
const patient = {
  ...{ age: 59, sex: '2', bmi: 32.1, blood_pressure: 101, total_cholesterol: 157 },
  ...{ ldl: 93.2, hdl: 38, cholesterol_ratio: 4, log_triglycerides: 4.8598, glucose: 87 },
}
let run: DriftlineRun
let reply: { status: number; body: Record<string, unknown> }
let exitCode: number
let result: PrintedStory
/** The live figures that `record` showed while the story went on, by name. */
const shown = new Map<string, number[]>()

beforeAll(async () => {
  run = runDriftline(task, ['start', '--once'])
  const { url } = await roleOf(task, 'ingress')
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${url}/predict`, { method: 'POST', headers, body: JSON.stringify(patient) })
  reply = { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  const record = await roleOf(task, 'record')
  const look = async (): Promise<void> => {
    const exposed = parseExposition(await (await fetch(`${record.url}/metrics`)).text())
    for (const { name, value } of exposed.samples) {
      if (name.startsWith('driftline_live_')) shown.set(name, [...(shown.get(name) ?? []), value])
    }
  }
  // The role ends with the story; until then its figures are looked at now and then.
  const looking = setInterval(() => void look().catch(() => undefined), 1000)
  exitCode = await run.ended
  clearInterval(looking)
  result = JSON.parse(lastLine(run.stdout())) as PrintedStory
}, 280_000)

afterAll(async () => {
  run.child.kill('SIGTERM')
  await run.ended
  task.remove()
})

describe('the story of a predicted number', () => {
  test('ends well, with nothing lost and nothing twice', () => {
    expect({ exitCode, problems: run.stderr().match(/problem: .*/g) }).toEqual({ exitCode: 0, problems: null })
    expect(result).toMatchObject({ lost: 0, duplicated: 0, dead_lettered: 4, versions: ['1', '2'] })
  })

  test('a retraining job brings the explained variance back', () => {
    expect(result.r2_before).toBeGreaterThan(0.4)
    expect(result.r2_during).toBeLessThan((result.r2_before ?? 0) - 0.1)
    expect(result.r2_after).toBeGreaterThanOrEqual((result.r2_before ?? 1) - 0.1)
    expect(Object.keys(result).filter((key) => key.startsWith('accuracy'))).toEqual([])
  })

  test('a request is answered by a number', () => {
    expect(reply).toMatchObject({ status: 200, body: { prediction: expect.any(Number), model_version: '1' } })
    expect(reply.body).not.toHaveProperty('confidence')
  })

  test('its errors are measured, and no accuracy', () => {
    expect([...shown.keys()].sort()).toEqual(['driftline_live_r2', 'driftline_live_rmse'])
    expect(Math.min(...(shown.get('driftline_live_rmse') ?? []))).toBeGreaterThan(0)
    expect(Math.max(...(shown.get('driftline_live_r2') ?? []))).toBeLessThan(1)
  })
})
