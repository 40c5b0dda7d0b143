import { afterEach, describe, expect, it } from 'vitest'
import { rowsInThread } from '../../../src/retraining/rows-thread.ts'
import { eventually } from '../../support/eventually.ts'
import { labelledRows, rowsFrom, thresholdModel } from '../../support/retrain-world.ts'

const entry = new URL('../../support/programs/rows-stub.ts', import.meta.url)
const query = { sinceEventTime: null, modelFeatures: new Map([['1', ['x']]]) }

let opened: ReturnType<typeof rowsInThread> | undefined
afterEach(() => opened?.close())

const thread = (behaviour: string, signal = new AbortController().signal): ReturnType<typeof rowsInThread> => {
  opened = rowsInThread({ entry, workerData: behaviour, signal, memoryLimitMb: 64 })
  return opened
}

// Threads that start on a busy machine take their time.
describe('the rows of a retraining in a thread', { timeout: 60_000 }, () => {
  it('are those that this thread would find, and so is the comparison', async () => {
    const all = labelledRows(200, 0.8)
    const here = rowsFrom({ countLabelled: async () => all.length, labelledRows: async () => all })
    const there = thread('as it should')
    expect(await there.open(query)).toEqual(await here.open(query))
    expect(await there.trainingRows()).toEqual(await here.trainingRows())
    const models = [thresholdModel(0.5), thresholdModel(0.8)] as const
    const comparison = await there.compare(...models)
    expect(comparison).toEqual(await here.compare(...models))
    expect(comparison?.challenger).toMatchObject({ accuracy: 1 })
  })

  it('are not ready where too few are labelled', async () => {
    const there = thread('as it should')
    const unknown = { ...query, modelFeatures: new Map() }
    expect(await there.open(unknown)).toMatchObject({ status: 'not_ready', labels: 0, needed: 100 })
  })

  it.each([
    ['throws ours', { code: 'CONFIG_INVALID', retryable: false, message: 'cannot read the dataset' }],
    ['throws another', { code: 'RETRAINING_ROWS_FAILED', retryable: true, message: 'database is locked' }],
    ['fills its memory', { code: 'TRAINING_THREAD_DIED', message: expect.stringMatching(/64 MiB/) }],
  ])('fail as it says where the thread %s', async (behaviour, error) => {
    const there = thread(behaviour)
    await there.open(query)
    await expect(there.trainingRows()).rejects.toMatchObject(error)
  })

  it('are not waited for where the thread ended between two steps', async () => {
    const there = thread('ends between steps')
    await there.open(query)
    await eventually(() => expect(there.compare(null, thresholdModel(0.5))).rejects.toThrow(/ended with code 3/))
  })

  it('are let go as soon as the job is to end', async () => {
    const ending = new AbortController()
    const there = thread('blocks', ending.signal)
    await there.open(query)
    const reading = there.trainingRows()
    ending.abort('the worker closes')
    await expect(reading).rejects.toMatchObject({
      code: 'TRAINING_ABORTED',
      message: expect.stringMatching(/the worker closes/),
    })
    await there.close()
    await expect(there.trainingRows()).rejects.toMatchObject({ code: 'TRAINING_ABORTED' })
  })
})
