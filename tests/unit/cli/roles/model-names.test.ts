import { expect, it, vi } from 'vitest'
import { createModelNames } from '../../../../src/cli/roles/model-names.ts'
import { createMemoryStore } from '../../../support/memory-store.ts'
import { thresholdModel } from '../../../support/retrain-world.ts'
import { sampleRun } from '../../../support/sample-artefact.ts'

it('knows the names of every version that is stored, and reads the list only for one that it does not know', async () => {
  const store = createMemoryStore()
  await store.addVersion(thresholdModel(0.5), sampleRun())
  const listVersions = vi.fn(store.listVersions)
  const namesOf = createModelNames({ listVersions })
  expect(await namesOf('1')).toEqual({ features: ['x'], classes: ['low', 'high'] })

  await store.addVersion(thresholdModel(0.6, { classes: ['high', 'low'] }), sampleRun())
  expect(await namesOf('2')).toEqual({ features: ['x'], classes: ['high', 'low'] })
  expect([await namesOf('9'), await namesOf('9'), await namesOf('1')]).toEqual([null, null, await namesOf('1')])
  expect(listVersions).toHaveBeenCalledTimes(3)
})
