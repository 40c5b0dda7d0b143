import { describe, expect, it } from 'vitest'

import { isHeldOut } from '../../../src/retraining/recent-rows.ts'
import { retrain } from '../../../src/retraining/retrain.ts'
import { jobIdOfActor } from '../../../src/retraining/retrain-actor.ts'
import {
  context,
  labelledRows,
  learnThreshold,
  request,
  retrainWorld,
  task,
  thresholdModel,
} from '../../support/retrain-world.ts'
import { sampleRun } from '../../support/sample-artefact.ts'

describe('a retraining', () => {
  it('promotes a model that is better on rows that it was not trained on', async () => {
    let trainedOn = 0
    const train: typeof learnThreshold = (input) => {
      trainedOn = input.recent?.rows ?? 0
      return learnThreshold(input)
    }
    const { deps, registry, events } = await retrainWorld({ rows: labelledRows(200, 0.8), train })
    const outcome = await retrain(deps, request(), context())

    expect(outcome).toMatchObject({ status: 'promoted', version: '2', previous: '1', metric: 'accuracy', epoch: 2 })
    expect(outcome.status === 'promoted' && outcome.challenger - (outcome.champion ?? 0)).toBeGreaterThan(0.2)
    expect((await registry.store.readAliases()).aliases.production).toBe('2')
    expect(events.map(({ type, version, epoch }) => [type, version, epoch])).toEqual([
      ['trained', '2', null],
      ['promoted', '2', 2],
    ])
    const heldOut = events[0]?.metrics['holdout_rows'] ?? 0
    expect(heldOut).toBeGreaterThan(30)
    expect(trainedOn + heldOut).toBe(200)
    expect(jobIdOfActor(events[1]?.actor ?? '')).toBe('job-1')
    expect((await registry.store.listVersions())[1]).toMatchObject({
      manifest: { parent: '1', reason: 'drift' },
      run: { trained_by: 'retrain:job-1', trained_at: 3000, seconds: 1, node: '24' },
    })
  })

  it('keeps the champion when the challenger is no better, and stores the challenger all the same', async () => {
    const { deps, registry, events } = await retrainWorld({
      rows: labelledRows(200, 0.5),
      train: (input) => thresholdModel(0.505, { parent: input.parent, reason: input.reason }),
    })
    const outcome = await retrain(deps, request(), context())
    expect(outcome).toMatchObject({ status: 'rejected', version: '2', champion: 1 })
    expect((await registry.store.readAliases()).aliases.production).toBe('1')
    expect(events.map(({ type, previous_version }) => [type, previous_version])).toEqual([
      ['trained', '1'],
      ['rejected', '1'],
    ])
  })

  it('keeps the champion when the challenger is better by no more than chance may give', async () => {
    // 3 of the held-out rows tell them apart: better by more than 2 %, with p 1/8.
    const train: typeof learnThreshold = (input) => thresholdModel(0.55, { parent: input.parent, reason: input.reason })
    const { deps, events } = await retrainWorld({ rows: labelledRows(150, 0.55), train })
    const heldOut = labelledRows(150, 0.55).filter((row) => isHeldOut(row.event_id, task.retraining.holdoutFraction))
    const apart = heldOut.filter(({ features: [x] }) => Number(x) >= 0.5 && Number(x) < 0.55)
    expect([apart.length, apart.length / heldOut.length > 0.02]).toEqual([3, true])

    expect(await retrain(deps, request(), context())).toMatchObject({ status: 'rejected', version: '2' })
    expect(events[1]).toMatchObject({ type: 'rejected', metrics: { p_value: expect.closeTo(1 / 8, 12) } })
    const lenient = await retrainWorld({ rows: labelledRows(150, 0.55), train })
    lenient.deps.task = { ...task, promotion: { ...task.promotion, alpha: 1 } }
    expect(await retrain(lenient.deps, request(), context())).toMatchObject({ status: 'promoted', version: '2' })
  })

  it('is not ready while labels are missing, and trains nothing', async () => {
    const { deps, registry } = await retrainWorld({
      rows: labelledRows(200, 0.8),
      train: () => Promise.reject(new Error('must not train')),
    })
    const late = request({ sinceEventTime: 1101 })
    expect(await retrain(deps, late, context())).toMatchObject({ status: 'not_ready', labels: 99, needed: 100 })
    expect(await registry.store.listVersions()).toHaveLength(1)
  })

  it('counts only rows that the task of today can use', async () => {
    const rows = labelledRows(150, 0.8).map((row, n) => (n < 60 ? { ...row, label: 'gone' } : row))
    const { deps } = await retrainWorld({ rows })
    expect(await retrain(deps, request(), context())).toMatchObject({ status: 'not_ready', labels: 90 })
  })

  it('ends without a copy when the training gives the model that is in production', async () => {
    const { deps, registry, events } = await retrainWorld({
      rows: labelledRows(200, 0.8),
      train: () => thresholdModel(0.5),
    })
    expect(await retrain(deps, request(), context())).toMatchObject({ status: 'insufficient_labels', labels: 200 })
    expect(await registry.store.listVersions()).toHaveLength(1)
    expect(events).toEqual([])
  })

  it('promotes the first model of a task', async () => {
    const { deps } = await retrainWorld({ rows: labelledRows(200, 0.8), champion: null })
    // Nobody recorded these rows' feature order under version 1, so there is nothing to train on.
    expect(await retrain(deps, request(), context())).toMatchObject({ status: 'not_ready', labels: 0 })
    await deps.registry.store.addVersion(thresholdModel(0.5), sampleRun())
    expect(await retrain(deps, request(), context())).toMatchObject({
      status: 'promoted',
      version: '2',
      previous: null,
      champion: null,
      epoch: 1,
    })
  })

  it('replaces a champion that does not know the classes of the task', async () => {
    const { deps } = await retrainWorld({
      rows: labelledRows(200, 0.8),
      champion: thresholdModel(0.5, { classes: ['low', 'high', 'extreme'] }),
    })
    expect(await retrain(deps, request(), context())).toMatchObject({ status: 'promoted', champion: null })
  })

  it('compares a champion whose classes stand in another order', async () => {
    const { deps } = await retrainWorld({
      rows: labelledRows(200, 0.5),
      champion: thresholdModel(0.5, { classes: ['high', 'low'] }),
      train: () => thresholdModel(0.9),
    })
    expect(await retrain(deps, request(), context())).toMatchObject({ status: 'rejected', champion: 1 })
  })

  it('is superseded when somebody changes production meanwhile', async () => {
    const world = await retrainWorld({
      rows: labelledRows(200, 0.8),
      train: async (input) => {
        await world.registry.promote({ alias: 'production', version: '1', actor: 'a person', reason: 'by hand' })
        return learnThreshold(input)
      },
    })
    expect(await retrain(world.deps, request(), context())).toMatchObject({ status: 'superseded', version: '2' })
    const { epoch, aliases } = await world.registry.store.readAliases()
    expect([epoch, aliases.production]).toEqual([2, '1'])
    expect(world.events.map(({ type }) => type)).toEqual(['trained', 'rejected'])
  })

  it('is superseded even when production came back to what it was', async () => {
    const world = await retrainWorld({
      rows: labelledRows(200, 0.8),
      train: async (input) => {
        const change = { alias: 'production', actor: 'a person', reason: 'by hand' } as const
        const version = await world.registry.store.addVersion(thresholdModel(0.1), sampleRun())
        await world.registry.promote({ ...change, version })
        await world.registry.promote({ ...change, version: '1' })
        return learnThreshold(input)
      },
    })
    expect(await retrain(world.deps, request(), context())).toMatchObject({ status: 'superseded' })
  })

  it('is not disturbed by another alias', async () => {
    const world = await retrainWorld({
      rows: labelledRows(200, 0.8),
      train: async (input) => {
        await world.registry.promote({ alias: 'staging', version: '1', actor: 'a person', reason: 'by hand' })
        return learnThreshold(input)
      },
    })
    expect(await retrain(world.deps, request(), context())).toMatchObject({ status: 'promoted', epoch: 3 })
  })

  it('adds a version once although the job ran twice', async () => {
    const { deps, registry } = await retrainWorld({ rows: labelledRows(200, 0.8) })
    const dying = { ...deps, registry: { ...registry, promote: () => Promise.reject(new Error('killed')) } }
    await expect(retrain(dying, request(), context())).rejects.toThrow('killed')
    expect(await registry.store.listVersions()).toHaveLength(2)
    expect(await retrain(deps, request(), context())).toMatchObject({ status: 'promoted', version: '2', epoch: 2 })
    expect(await registry.store.listVersions()).toHaveLength(2)
  })

  it('reports its promotion when it is run again after it', async () => {
    const { deps, registry, events } = await retrainWorld({ rows: labelledRows(200, 0.8) })
    let alive = false
    const dying = {
      ...deps,
      publish: async (event: (typeof events)[number]) => {
        if (event.type === 'promoted' && !alive) throw new Error('killed')
        await deps.publish(event)
      },
    }
    await expect(retrain(dying, request(), context())).rejects.toThrow('killed')
    alive = true
    const outcome = await retrain(dying, request(), context())
    expect(outcome).toMatchObject({ status: 'promoted', version: '2', previous: '1', epoch: 2, promotedAt: 5000 })
    expect(outcome.status === 'promoted' && outcome.challenger - (outcome.champion ?? 0)).toBeGreaterThan(0.2)
    expect((await registry.store.readAliases()).epoch).toBe(2)
    expect(events.map(({ type }) => type)).toEqual(['trained', 'promoted'])
  })

  it('promotes once when two runs of one job overlap', async () => {
    const { deps, registry } = await retrainWorld({ rows: labelledRows(200, 0.8) })
    const outcomes = await Promise.all([retrain(deps, request(), context()), retrain(deps, request(), context())])
    expect(outcomes.map(({ status }) => status)).toEqual(['promoted', 'promoted'])
    const { history } = await registry.store.readAliases()
    expect(history.filter(({ actor }) => actor === 'retrain:job-1')).toHaveLength(1)
  })

  it('does not store or promote anything once it is told to end', async () => {
    const ending = new AbortController()
    const { deps, registry } = await retrainWorld({
      rows: labelledRows(200, 0.8),
      train: (input) => {
        ending.abort('the lock of the job was lost')
        return learnThreshold(input)
      },
    })
    await expect(retrain(deps, request(), context('job-1', ending.signal))).rejects.toMatchObject({
      code: 'TRAINING_ABORTED',
      message: expect.stringContaining('the lock of the job was lost'),
    })
    expect(await registry.store.listVersions()).toHaveLength(1)
  })

  it('hands the training what the task says', async () => {
    let seen: unknown
    const { deps } = await retrainWorld({
      rows: labelledRows(200, 0.8),
      train: (input) => {
        const { recent: _recent, base: _base, ...rest } = input
        seen = rest
        return learnThreshold(input)
      },
    })
    await retrain(deps, request({ trigger: 'manual' }), context())
    expect(seen).toEqual({
      task: 'levels',
      features: task.features,
      classNames: ['low', 'high'],
      seed: 1,
      ...task.training,
      testFraction: 0.2,
      parent: '1',
      reason: 'manual',
    })
  })
})
