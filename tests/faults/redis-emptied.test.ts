import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { lastLine, runDriftline } from '../support/driftline.ts'
import { eventually } from '../support/eventually.ts'
import { startRoles } from '../support/running-roles.ts'
import { createTestTask } from '../support/task-file.ts'

const task = createTestTask()
// A database of its own, so that it can be emptied whole while others use the same server.
const redisUrl = `${process.env['REDIS_URL']?.replace(/\/\d*$/, '')}/${1 + Math.floor(Math.random() * 15)}`
let redis: Redis
let roles: Awaited<ReturnType<typeof startRoles>>

const driftline = async (...args: string[]): Promise<unknown> => {
  const run = runDriftline(task, [...args, '--json'], { REDIS_URL: redisUrl })
  expect(await run.ended, run.stderr()).toBe(0)
  return JSON.parse(lastLine(run.stdout()))
}

const example = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 }

const predict = async (): Promise<{ status: number; body: { model_version: string } }> => {
  const response = await fetch(`${await roles.url('ingress')}/predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(example),
  })
  return { status: response.status, body: (await response.json()) as { model_version: string } }
}

beforeAll(async () => {
  redis = new Redis(redisUrl)
  await redis.flushdb()
  roles = await startRoles(task, { REDIS_URL: redisUrl })
}, 120_000)

afterAll(async () => {
  await roles?.stop()
  await redis.flushdb()
  await redis.quit()
  task.remove()
})

test('deleting everything in Redis loses no model and no alias', async () => {
  await driftline('train', '--force', '--promote', '--reason', 'a second version')
  await eventually(async () => expect((await predict()).body.model_version).toBe('2'))
  const before = await driftline('models', 'list')

  await redis.flushdb()

  expect(await predict()).toMatchObject({ status: 200, body: { model_version: '2' } })
  expect(await driftline('models', 'list')).toEqual(before)
  await eventually(async () => expect(await redis.get(`driftline:${task.task}:epoch`)).toBe('2'))

  // The signal works on: a rollback reaches the running roles.
  await driftline('models', 'rollback', '--reason', 'the first one was better')
  await eventually(async () => expect((await predict()).body.model_version).toBe('1'))
}, 120_000)
