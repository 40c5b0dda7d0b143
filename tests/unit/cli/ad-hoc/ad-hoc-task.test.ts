import { describe, expect, test } from 'vitest'
import { adHocCandidates } from '../../../../src/cli/ad-hoc/ad-hoc-candidates.ts'
import { datasetOf, inferTask } from '../../../../src/cli/ad-hoc/ad-hoc-task.ts'
import { parseTable } from '../../../../src/cli/csv/csv-table.ts'
import { ConfigInvalid } from '../../../../src/errors.ts'

const table = (text: string) => parseTable(new TextEncoder().encode(text), 'rows.csv')
const infer = (text: string, changes: Partial<Parameters<typeof inferTask>[1]> = {}) =>
  inferTask(table(text), { label: 'rows.csv', target: 'y', ignore: [], ...changes })

const numbered = (count: number, targetAt: (row: number) => number | string = (row) => row): string =>
  `x,y\n${Array.from({ length: count }, (_, row) => `${row},${targetAt(row)}\n`).join('')}`

describe('what is to be learnt', () => {
  test('features are numbers or categories, and nullable where a value is missing', () => {
    const { features, target, ignored } = infer('a,b,,c,y\n1,red,0,x,no\n,blue,1,y,yes\n', { ignore: ['c'] })
    expect(features).toEqual([
      { name: 'a', type: 'double', nullable: true },
      { name: 'b', type: 'category', categories: ['blue', 'red'], nullable: false },
    ])
    expect(target).toEqual({ name: 'y', type: 'classification', classes: ['no', 'yes'] })
    expect(ignored).toEqual(['c', '1 without a name'])
  })

  test('few whole numbers are classes in their order, others are numbers', () => {
    expect(infer(numbered(40, (row) => (row % 12) - 1)).target).toMatchObject({
      classes: ['-1', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10'],
    })
    expect(infer(numbered(21)).target).toEqual({ name: 'y', type: 'regression' })
    expect(infer(numbered(20)).target).toMatchObject({ type: 'classification' })
    expect(infer(numbered(4, (row) => row / 2)).target).toMatchObject({ type: 'regression' })
    expect(infer(numbered(20), { kind: 'regression' }).target).toMatchObject({ type: 'regression' })
    expect(infer(numbered(21), { kind: 'classification' }).target).toMatchObject({ type: 'classification' })
  })

  test.each([
    ['x,y\n1,\n2,1\n', {}, "the target 'y' is missing in 1 rows"],
    ['x,z\n1,2\n', {}, "has no column 'y'; its header is: x, z"],
    ['y\n1\n', {}, 'no column besides the target'],
    [numbered(1001, (row) => `n${row}`), {}, 'holds 1001 different values; at most 1000 classes'],
    [numbered(1001), { kind: 'classification' }, 'at most 1000 classes'],
    ['x,y\n1,a\n2,a\n', {}, 'is a in every row; two classes are needed'],
    ['x,y\n1,a\n2,b\n', { kind: 'regression' }, 'holds text; a regression needs decimal numbers'],
    ['x,y\n1,a\n2,b\n', { ignore: ['q'] }, "has no column 'q'"],
    ['x,y\n1,a\n2,b\n', { ignore: ['y'] }, '--ignore y leaves the target out'],
    ['x,x,y\n1,1,a\n2,2,b\n', {}, "more than one column 'x': rename one of them"],
    [numbered(256, (row) => row % 2).replaceAll(/^(\d+),/gm, 'name$1,'), {}, 'leave it out with --ignore x'],
    [
      numbered(600, (row) => row % 2)
        .replaceAll(/^(\d+),/gm, 'name$1,'.repeat(2))
        .replace('x,y', 'a,b,y'),
      {},
      'leave it out with --ignore a,b',
    ],
    [
      numbered(600, (row) => row % 2).replace(/^7,/m, '?,'),
      {},
      "'x' holds numbers, but also '?' (leave the field empty",
    ],
  ] as const)('%.40j is refused', (text, changes, message) => {
    expect(() => infer(text, changes as Parameters<typeof infer>[1])).toThrow(message)
  })
})

describe('rows', () => {
  const training = 'colour,x,y\nred,1,no\nblue,2,yes\n,3,no\n'
  const task = infer(training)
  const read = (text: string, isTraining = false) => datasetOf(table(text), task, { label: 'rows.csv', isTraining })

  test('have codes for categories and classes, NaN where missing', () => {
    const dataset = read(training, true)
    expect(dataset).toMatchObject({ kind: 'classification', labels: Int32Array.of(0, 1, 0), rows: 3 })
    expect([...dataset.features]).toEqual([1, 1, 0, 2, Number.NaN, 3])
  })

  test('of another file are found by name; a category that is not known has the code after the last', () => {
    expect([...read('y,x,extra,colour\nno,4,0,green\nyes,5,0,red\n').features]).toEqual([2, 4, 1, 5])
    expect([...read('y,x,colour\nno,4,17\nyes,5,\n').features]).toEqual([2, 4, Number.NaN, 5])
    expect(() => read('y,x,colour\nmaybe,4,red\n')).toThrow("holds 'maybe'; the classes are: no, yes")
    expect(() => read('y,x,colour\nno,much,red\n')).toThrow("column 'x' holds text such as 'much'")
    expect(() => read('y,colour\nno,red\n')).toThrow("has no column 'x'")
  })

  test('with numbered classes are told by their value, however it is written', () => {
    const numbers = infer('x,y\n1,0\n2,1\n')
    const other = datasetOf(table('x,y\n1,1.0\n2,0.00\n'), numbers, { label: 'rows.csv', isTraining: false })
    expect(other).toMatchObject({ labels: Int32Array.of(1, 0) })
  })
})

describe('candidates without a configuration', () => {
  const candidates = (changes: Partial<Parameters<typeof adHocCandidates>[0]> = {}) =>
    adHocCandidates({ kind: 'classification', rows: 100, parameters: {}, ...changes })
  const engines = (changes: Parameters<typeof candidates>[0] = {}) => candidates(changes).map(({ engine }) => engine)

  test('are the first engine of every family that fits', () => {
    expect(engines()).toEqual(['lbfgs', 'libsvm', 'histogram'])
    expect(engines({ kind: 'regression' })).toEqual(['cholesky', 'libsvm', 'histogram'])
    expect(engines({ rows: 20_001 })).toEqual(['lbfgs', 'histogram'])
    expect(engines({ rows: 20_001, family: 'svm' })).toEqual(['libsvm'])
    expect(engines({ engine: 'ml-svm' })).toEqual(['ml-svm'])
  })

  test('take the parameters that they know, and defaults for the others', () => {
    const [forest] = candidates({ family: 'forest', parameters: { trees: 7, maxFeatures: 'log2', bootstrap: false } })
    expect(forest).toMatchObject({
      name: 'forest',
      calibration: 'none',
      parameters: { trees: 7, maxFeatures: 'log2', bootstrap: false, maxDepth: 10, minSamplesLeaf: 1 },
    })
    const both = candidates({ parameters: { C: 3 } })
    expect(both.map(({ parameters }) => 'C' in parameters && parameters.C)).toEqual([3, 3, false])
  })

  test.each([
    [{ family: 'forest', parameters: { alpha: 1 } }, '--alpha is no parameter of histogram; it is one of cholesky'],
    [{ family: 'forest', parameters: { maxDepth: 0 } }, '--max-depth is 0'],
    [{ family: 'forest', parameters: { maxFeatures: 'some' } }, '--max-features is "some"'],
    [{ family: 'forest', engine: 'libsvm' }, '--engine libsvm is not one of the family forest'],
    [{ family: 'ridge' }, '--family ridge does not predict classes; these do: logistic, svm, forest'],
    [{ family: 'logistic', kind: 'regression' }, '--family logistic does not predict numbers; these do: ridge'],
    [{ engine: 'cholesky' }, 'cannot train a classification'],
    [{ kind: 'regression', calibration: 'platt' }, '--calibration platt corrects probabilities of classes'],
    [{ family: 'forest', kind: 'regression', parameters: { criterion: 'gini' } }, '--criterion is "gini"'],
  ] as const)('%j is refused', (changes, message) => {
    expect(() => candidates(changes)).toThrow(ConfigInvalid)
    expect(() => candidates(changes)).toThrow(message)
  })
})
