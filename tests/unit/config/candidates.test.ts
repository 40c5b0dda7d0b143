import { describe, expect, it } from 'vitest'
import { validateTaskText } from '../../../src/config/validate-task.ts'
import { ConfigInvalid } from '../../../src/errors.ts'
import { createEstimator } from '../../../src/models/families.ts'
import { classifiers, regressors } from '../../support/engine-candidates.ts'

const withCandidate = (candidate: string, target = 'classes: [apple, pear]', training = ''): string => `task: fruit
features:
  - { name: weight }
target: { name: kind, ${target} }
dataset: { path: fruit.csv }
training:
  candidates:
    - ${candidate}
${training}`

const regression = 'type: regression'

const mistakesOf = (text: string): string => {
  try {
    validateTaskText(text, 'task.yaml')
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigInvalid)
    return (error as ConfigInvalid).message
  }
  return ''
}

describe('a candidate', () => {
  it.each([
    ['forest', 'histogram', { trees: 100, maxDepth: 10, maxFeatures: 'auto', maxBins: 256 }],
    ['svm', 'libsvm', { kernel: 'rbf', C: 1, gamma: 'scale', epsilon: 0.1 }],
    ['logistic', 'lbfgs', { C: 1, maxIterations: 1000 }],
  ])('of the family %s is trained by %s unless it says otherwise', (family, engine, parameters) => {
    const { candidates } = validateTaskText(withCandidate(`{ name: a, family: ${family} }`), 'task.yaml').training
    expect(candidates[0]).toMatchObject({ engine, calibration: 'none', parameters })
  })

  it('of the family ridge is trained by cholesky', () => {
    const text = withCandidate('{ name: a, family: ridge }', regression)
    expect(validateTaskText(text, 'task.yaml').training.candidates[0]).toMatchObject({ engine: 'cholesky' })
  })

  it.each([
    ['ml-random-forest', 'forest', { trees: 100, maxFeatures: 0.5 }],
    ['ml-svm', 'svm', { sigma: 2 }],
    ['ml-logistic-regression', 'logistic', { steps: 5000 }],
  ])('may name the engine %s', (engine, family, parameters) => {
    const text = withCandidate(`{ name: a, family: ${family}, engine: ${engine} }`)
    expect(validateTaskText(text, 'task.yaml').training.candidates[0]).toMatchObject({ engine, parameters })
  })
})

describe('the training', () => {
  it('is a single cross-validation of five folds and takes the best, unless it says otherwise', () => {
    const { training } = validateTaskText(withCandidate('{ name: a, family: forest }'), 'task.yaml')
    expect(training).toMatchObject({ folds: 5, repeats: 1, selection: 'best', nested: false })
    expect(training).not.toHaveProperty('timeLimitSeconds')
  })

  it('takes rules and limits', () => {
    const rules =
      '  repeats: 3\n  selection: one_standard_error\n  nested: true\n  timeLimitSeconds: 1.5\n  memoryLimitMb: 512\n'
    const text = withCandidate('{ name: a, family: forest }', undefined, rules)
    const training = {
      repeats: 3,
      selection: 'one_standard_error',
      nested: true,
      timeLimitSeconds: 1.5,
      memoryLimitMb: 512,
    }
    expect(validateTaskText(text, 'task.yaml').training).toMatchObject(training)
  })
})

describe('a search', () => {
  const searching = (over: string): string => withCandidate(`{ name: a, family: forest, search: { over: ${over} } }`)

  it('is random with 20 trials unless it says otherwise, and draws whole numbers where the parameter is one', () => {
    const text = searching('{ maxDepth: { from: 2, to: 9 }, maxFeatures: [sqrt, 0.5], trees: [50] }')
    expect(validateTaskText(text, 'task.yaml').training.candidates[0]?.search).toEqual({
      method: 'random',
      trials: 20,
      over: {
        maxDepth: { from: 2, to: 9, scale: 'linear', integer: true },
        maxFeatures: ['sqrt', 0.5],
        trees: [50],
      },
    })
  })

  it.each([
    [
      'a parameter of another engine',
      '{ sigma: [1, 2] }',
      'over.sigma is no parameter of histogram; its parameters are',
    ],
    ['a value that the parameter cannot have', '{ trees: [5, 0] }', 'over.trees[1] is 0, and trees must be >= 1'],
    [
      'an end that it cannot have',
      '{ maxFeatures: { from: 0.5, to: 2 } }',
      'maxFeatures.to is 2, and maxFeatures is: Features that each split looks at: a share',
    ],
    ['a range upside down', '{ trees: { from: 9, to: 2 } }', 'has to go from the least to the greatest value'],
    [
      'ratios from 0 on',
      '{ maxFeatures: { from: 0, to: 1, scale: log } }',
      'ratios are drawn from a number above 0 on',
    ],
    ['halves of a whole number', '{ trees: { from: 1.5, to: 3 } }', 'from a whole number to a whole number'],
    ['an unknown key', '{ trees: { from: 1, too: 3 } }', 'over.trees.too unknown key; allowed here: from, to, scale'],
    ['a range without an end', '{ trees: { from: 1 } }', 'over.trees the key "to" is missing'],
    ['nothing to search', '{}', 'search.over'],
    ['a value alone', '{ trees: 5 }', 'over.trees is 5; it has to be a list of values, or a range with from and to'],
    [
      'a criterion of the other kind',
      '{ criterion: [gini, squared_error] }',
      'over.criterion[1] is "squared_error"; for a classification it has to be one of auto, gini, entropy',
    ],
    ['a range without end', '{ maxFeatures: { from: 0.1, to: .inf } }', 'maxFeatures.to is Infinity'],
  ])('%s is named with its place', (_, over, expected) => {
    expect(mistakesOf(searching(over))).toContain(expected)
    expect(mistakesOf(searching(over))).toMatch(/^task\.yaml:8:\d+: training\.candidates\[0\]\.search/)
  })
})

describe('what contradicts itself is refused', () => {
  it.each([...classifiers, ...regressors])('$engine for another kind than it trains', (candidate) => {
    const { family, engine } = candidate
    for (const kind of ['classification', 'regression'] as const) {
      const target = kind === 'regression' ? regression : undefined
      const refused = mistakesOf(withCandidate(`{ name: a, family: ${family}, engine: ${engine} }`, target)) !== ''
      expect(refused).toBe(!createEstimator(candidate).kinds.includes(kind))
    }
  })

  it.each([
    [
      'an engine of another family',
      '{ name: a, family: forest, engine: ml-svm }',
      '',
      '"histogram", "ml-random-forest"',
    ],
    ['classes by ridge', '{ name: a, family: ridge }', '', 'cannot train a classification; these can: histogram'],
    [
      'numbers by ml-svm',
      '{ name: a, family: svm, engine: ml-svm }',
      regression,
      'these can: histogram, libsvm, cholesky',
    ],
    ['calibrated numbers', '{ name: a, family: forest, calibration: platt }', regression, 'a regression has none'],
    [
      'a criterion of the other kind',
      '{ name: a, family: forest, parameters: { criterion: gini } }',
      regression,
      'criterion is "gini"; for a regression it has to be one of auto, squared_error',
    ],
    [
      'an endless price',
      '{ name: a, family: logistic, parameters: { C: .inf } }',
      '',
      'parameters.C is Infinity; it has to be of type number',
    ],
    [
      'a rule that there is not',
      '{ name: a, family: forest, parameters: { maxFeatures: most } }',
      '',
      'maxFeatures is "most"; allowed: Features that each split looks at: a share above 0 and up to 1',
    ],
  ])('%s', (_, candidate, target, expected) => {
    expect(mistakesOf(withCandidate(candidate, target === '' ? undefined : target))).toContain(expected)
  })
})
