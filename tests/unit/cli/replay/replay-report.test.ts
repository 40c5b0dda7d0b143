import { expect, test } from 'vitest'
import { type ReplayReport, reportText } from '../../../../src/cli/replay/replay-report.ts'

const report: ReplayReport = {
  ...{ task: 'task', model_version: '3', from: '-2h', to: 'latest', ranges: [], seconds: 1.5 },
  ...{ to_topic: null, group: null, went_on: false, written: 0, refused: {} },
  ...{ only_published: 0, only_replayed: 2, republished: 0 },
  overall: {
    ...{ kind: 'classification', rows: 8, equal: 6, share_equal: 0.75, classes: ['no', 'yes'] },
    confusion: [
      [5, 2],
      [0, 1],
    ],
    probabilities: { rows: 8, mean_absolute_difference: 0.012345678, max_absolute_difference: 0.5 },
  },
  by_published_version: [],
}

const rowsOf = (text: string): string[] => text.split('\n').map((line) => line.replaceAll(/ +/g, ' '))

test('a report says what was compared, and only what there is to say', () => {
  const lines = rowsOf(
    reportText({ ...report, by_published_version: [{ model_version: '1', agreement: report.overall }] }),
  )
  expect(lines).toContain('1 8 75.00 % 0.01235 0.5')
  expect(lines).toContain('PUBLISHED \\ REPLAYED no yes')
  expect(lines).toContain('no 5 2')
  expect(lines).toContain('2 events have no published prediction')
  // One version is all there is, nothing was written and nothing refused.
  expect(lines.join('\n')).not.toMatch(/^all|written|could not|published again|no replayed/m)
})

test('several versions have a line for all of them; what went wrong is counted by code', () => {
  const versions = ['1', '2'].map((model_version) => ({ model_version, agreement: report.overall }))
  const lines = rowsOf(
    reportText({
      ...{ ...report, by_published_version: versions, only_published: 1, republished: 4 },
      ...{ to_topic: 'again', written: 7, refused: { BAD_AVRO: 3 } },
    }),
  )
  expect(lines).toContain('all 8 75.00 % 0.01235 0.5')
  expect(lines).toContain('written to again: 7 in this run')
  expect(lines.join('\n')).toContain('3 BAD_AVRO')
  expect(lines.join('\n')).toContain('4 predictions were published again')
})

test('numbers have their errors', () => {
  const lines = rowsOf(
    reportText({
      ...report,
      overall: {
        ...{ kind: 'regression', rows: 4, equal: 1, share_equal: 0.25, share_within_1_percent: 0.5 },
        ...{ mean_difference: -0.5, mae: 1.5, rmse: 2.25, max_absolute_difference: 4 },
      },
    }),
  )
  expect(lines).toContain('all 4 25.00 % 50.00 % 2.25 1.5 -0.5 4')
})

test('nothing to compare is told as nothing', () => {
  const overall = {
    ...report.overall,
    rows: 0,
    equal: 0,
    share_equal: null,
    probabilities: null,
  } as ReplayReport['overall']
  expect(rowsOf(reportText({ ...report, overall }))).toContain('all 0 - - -')
})
