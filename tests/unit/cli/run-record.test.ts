import { expect, test } from 'vitest'
import { decodeRun } from '../../../src/cli/run-record.ts'
import { ArtefactCorrupt } from '../../../src/models/model-errors.ts'
import { sampleRun } from '../../support/sample-artefact.ts'

const validation = {
  rows: 3,
  features: 1,
  issues: [{ severity: 'warning', code: 'FEW_ROWS', feature: null, message: 'few', remedy: 'add rows' }],
}
const whole = { ...sampleRun(1_700_000_000_000), lineage: { data: 'd', parameters: 'p', code: 'c' }, validation }

test('a record is read as it was written', () => {
  expect(decodeRun(JSON.stringify(whole), 'run.json')).toEqual(whole)
  expect(decodeRun(JSON.stringify(sampleRun(0)), 'run.json')).toEqual(sampleRun(0))
})

test.each(
  [
    ['', '{', 'null', '[]', '"text"', '{}'],
    [{ trained_at: 'yesterday' }, { trained_at: 1e300 }, { trained_at: null }, { seconds: '1' }],
    [{ lineage: { data: 'd' } }, { validation: { rows: 3, features: 1, issues: [{}] } }, { fit_seconds: null }],
  ].flat(),
)('%j is no record', (damage) => {
  const text = typeof damage === 'string' ? damage : JSON.stringify({ ...whole, ...damage })
  expect(() => decodeRun(text, 'model/run.json')).toThrow(ArtefactCorrupt)
  expect(() => decodeRun(text, 'model/run.json')).toThrow('model/run.json is no record of a training')
})
