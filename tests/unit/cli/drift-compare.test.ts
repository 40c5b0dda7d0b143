import { CommanderError } from 'commander'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { driftCommand } from '../../../src/cli/commands/drift.ts'
import { parseTable } from '../../../src/cli/csv/csv-table.ts'
import { type CompareOptions, compareTables, type DriftReport } from '../../../src/cli/drift-compare/compare-tables.ts'
import { ComparisonInvalid } from '../../../src/cli/drift-compare/comparison-invalid.ts'
import { reportText } from '../../../src/cli/drift-compare/report-text.ts'
import { adjustPValues } from '../../../src/drift/adjust.ts'
import { ksTest } from '../../../src/drift/ks-test.ts'

const table = (label: string, csv: string) => ({ label, table: parseTable(new TextEncoder().encode(csv), label) })

const lines = (head: string, rows: number, line: (row: number) => string): string =>
  [head, ...Array.from({ length: rows }, (_, row) => line(row))].join('\n')

const options: CompareOptions = { columns: null, alpha: 0.05, correction: 'benjamini-hochberg', minEffect: 0 }

const compare = (reference: string, current: string, overrides: Partial<CompareOptions> = {}): DriftReport =>
  compareTables(table('a.csv', reference), table('b.csv', current), { ...options, ...overrides })

const featureOf = (report: DriftReport, name: string) => report.features.find(({ feature }) => feature === name)!

const reference = lines(
  'age,colour,steady,note',
  200,
  (i) => `${i % 50},${i % 3 === 0 ? 'red' : 'green'},${i % 7},n${i}`,
)
const current = lines('steady,age,colour,extra', 150, (i) => {
  const colour = i % 10 === 0 ? 'blue' : i % 2 === 0 ? 'red' : ''
  return `${i % 7},${i % 4 === 0 ? 'NA' : 20 + (i % 50)},${colour},1`
})

describe('the comparison of two tables', () => {
  const report = compare(reference, current)

  it('tests numbers by Kolmogorov and Smirnov and texts by chi-square, whatever their order', () => {
    expect(report.features.map(({ feature, test }) => [feature, test])).toEqual([
      ['age', 'ks'],
      ['colour', 'chi_square'],
      ['steady', 'ks'],
    ])
    const expected = ksTest(
      Array.from({ length: 200 }, (_, i) => i % 50),
      Array.from({ length: 150 }, (_, i) => i).flatMap((i) => (i % 4 === 0 ? [] : [20 + (i % 50)])),
    )
    expect(featureOf(report, 'age')).toMatchObject({
      statistic: expected.status === 'tested' ? expected.statistic : null,
      p_value: expected.status === 'tested' ? expected.pValue : null,
      missing_reference: 0,
      missing_current: 38,
    })
    expect(featureOf(report, 'colour')).toMatchObject({ unseen: 15, missing_current: 75, drifted: true })
  })

  it('adjusts p-values over the features, and tells what drifted and what not', () => {
    const adjusted = adjustPValues(
      report.features.map(({ p_value }) => p_value!),
      'benjamini-hochberg',
    )
    expect(report.features.map(({ adjusted_p_value }) => adjusted_p_value)).toEqual(adjusted)
    expect(report.features.map(({ drifted }) => drifted)).toEqual([true, true, false])
    expect(report.features.map(({ missing_drifted }) => missing_drifted)).toEqual([true, true, false])
    expect(featureOf(report, 'steady')).toMatchObject({ missing_p_value: null, missing_adjusted_p_value: null })
    expect(report).toMatchObject({ drifted: true, rows: { reference: 200, current: 150 } })
  })

  it('names the columns that only one of them has', () => {
    expect(report).toMatchObject({ only_in_reference: ['note'], only_in_current: ['extra'] })
  })

  it('takes a least effect, and other levels and corrections', () => {
    const { effect, p_value } = featureOf(report, 'age')
    expect(featureOf(compare(reference, current, { minEffect: effect! + 0.01 }), 'age').drifted).toBe(false)
    expect(featureOf(compare(reference, current, { minEffect: effect! }), 'age').drifted).toBe(true)
    expect(featureOf(compare(reference, current, { alpha: p_value! / 2 }), 'age').drifted).toBe(false)
    expect(featureOf(compare(reference, current, { correction: 'none' }), 'age').adjusted_p_value).toBe(p_value)
  })

  it('of a table and itself finds nothing', () => {
    const same = compare(reference, reference)
    expect(same).toMatchObject({ drifted: false })
    expect(same.features.every(({ p_value, psi }) => p_value === 1 && psi === 0)).toBe(true)
  })

  it('leaves out texts that name single rows, unless they are asked for', () => {
    const same = compare(reference, reference)
    expect(same.skipped.map(({ feature }) => feature)).toEqual(['note'])
    expect(compare(reference, reference, { columns: ['note'] })).toMatchObject({ skipped: [], drifted: false })
  })

  it('tells of a column without values only what is missing', () => {
    const empty = lines('age,colour', 60, () => ',red')
    const report = compare(reference, empty)
    expect(featureOf(report, 'age')).toMatchObject({ statistic: null, p_value: null, drifted: false })
    expect(featureOf(report, 'age')).toMatchObject({ missing_current: 60, missing_drifted: true })
    expect(reportText(report)).toContain('drifted in what is missing')
  })

  it('takes numbers for names where the reference has texts', () => {
    const report = compare(
      lines('code', 90, (i) => ['1', '2', 'x'][i % 3]!),
      lines('code', 90, (i) => `${1 + (i % 2)}`),
    )
    expect(featureOf(report, 'code')).toMatchObject({ test: 'chi_square', unseen: 0, drifted: true })
  })

  it('knows numbers again that the other file writes in another way', () => {
    const texts = lines('code', 90, (i) => ['01', '2.0', 'x'][i % 3]!)
    const numbers = lines('code', 60, (i) => ['01', '2.0'][i % 2]!)
    expect(featureOf(compare(texts, numbers), 'code')).toMatchObject({ unseen: 0 })
  })
})

describe('tables that cannot be compared', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['nothing in common', () => compare('a\n1', 'b\n1'), /no column in common/],
    [
      'a column that is not there',
      () => compare(reference, current, { columns: ['note'] }),
      /b\.csv has no column 'note'.*steady/,
    ],
    ['a column twice', () => compare('a,a\n1,2', 'a\n1'), /a\.csv has more than one column 'a'/],
    [
      'text among numbers',
      () => compare('a\n1\n2', 'a\n1\nfive'),
      /'a' is of numbers in a\.csv, but b\.csv has 'five'/,
    ],
  ])('are refused: %s', (_, run, message) => {
    expect(run).toThrow(ComparisonInvalid)
    expect(run).toThrow(message)
  })
})

describe('driftline drift compare', () => {
  const printed: string[] = []

  /** Runs the command; what it printed is in `printed`. */
  const run = async (...args: string[]): Promise<void> => {
    printed.length = 0
    vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line))
    const command = driftCommand()
    for (const verb of [command, ...command.commands]) {
      verb.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: (text) => void printed.push(text) })
    }
    await command.parseAsync(['compare', ...args], { from: 'user' })
  }

  afterEach(() => {
    vi.restoreAllMocks()
    process.exitCode = undefined
  })

  const iris = 'examples/iris/iris.csv'
  const files = ['--reference', iris, '--current', iris]

  it('prints a table, or JSON on the last line', async () => {
    await run(...files)
    expect(printed.join('\n')).toMatch(
      /FEATURE +TEST[\s\S]*petal_width +KS[\s\S]*species +chi-square[\s\S]*0 of 5 features/,
    )
    await run(...files, '--json', '--columns', 'petal_width, species')
    const report = JSON.parse(printed.at(-1)!) as DriftReport
    expect(report.features.map(({ feature }) => feature)).toEqual(['petal_width', 'species'])
    expect(report.rows).toEqual({ reference: 150, current: 150 })
  })

  it('ends with 1 on drift only when it is asked to', async () => {
    const drifted = ['--reference', iris, '--current', 'tests/fixtures/drift/shifted.csv']
    await run(...drifted)
    expect(process.exitCode).toBeUndefined()
    await run(...files, '--fail-on-drift')
    expect(process.exitCode).toBeUndefined()
    await run(...drifted, '--fail-on-drift')
    expect(process.exitCode).toBe(1)
  })

  it('refuses what it cannot read or use', async () => {
    await expect(run('--reference', 'nowhere.csv', '--current', iris)).rejects.toThrow(/cannot read nowhere\.csv/)
    await expect(run('--reference', 'package.json', '--current', iris)).rejects.toThrow(ComparisonInvalid)
    for (const alpha of ['0', '1', 'x', '', '-0.1']) {
      await expect(run(...files, '--alpha', alpha)).rejects.toThrow(CommanderError)
    }
    await expect(run(...files, '--columns', 'a,,b')).rejects.toThrow(CommanderError)
    await expect(run(...files, '--min-effect', '2')).rejects.toThrow(CommanderError)
    await expect(run('--reference', iris)).rejects.toThrow(CommanderError)
  })
})
