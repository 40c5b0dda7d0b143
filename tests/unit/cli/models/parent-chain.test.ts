import { expect, test } from 'vitest'
import { parentChain } from '../../../../src/cli/models/parent-chain.ts'
import type { VersionSummary } from '../../../../src/registry/registry-types.ts'
import { sampleArtefact, sampleRun } from '../../../support/sample-artefact.ts'

const version = (number: string, parent: string | null, reason: string): VersionSummary => ({
  version: number,
  manifest: { ...sampleArtefact(0.5).manifest, parent, reason },
  run: sampleRun(Number(number)),
})

test('ancestors go from the parent up to the first version', () => {
  const versions = [
    version('1', null, 'initial'),
    version('2', '1', 'drift'),
    version('3', '1', 'x'),
    version('4', '2', 'drift'),
  ]
  expect(parentChain(versions, '4').map(({ version: number, reason }) => [number, reason])).toEqual([
    ['2', 'drift'],
    ['1', 'initial'],
  ])
  expect(parentChain(versions, '1')).toEqual([])
})

test('ancestors tell the same digest of their rows as a version itself does', () => {
  const first = version('1', null, 'initial')
  const lineage = { data: 'd'.repeat(64), parameters: 'p'.repeat(64), code: 'c'.repeat(64) }
  const versions = [
    { ...first, run: { ...first.run, lineage } },
    version('2', '1', 'drift'),
    version('3', '2', 'drift'),
  ]
  expect(parentChain(versions, '3').map(({ data }) => data)).toEqual([first.manifest.data.digest, lineage.data])
})

test('a version that is gone ends the chain, and a circle does not go on', () => {
  expect(parentChain([version('4', '3', 'drift')], '4')).toMatchObject([{ version: '3', reason: null, data: null }])
  expect(parentChain([version('1', '2', 'a'), version('2', '1', 'b')], '1')).toHaveLength(1)
})
