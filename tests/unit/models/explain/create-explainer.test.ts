import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Dataset } from '../../../../src/features/dataset.ts'
import type { Candidate } from '../../../../src/models/candidate.ts'
import { createExplainer } from '../../../../src/models/explain/create-explainer.ts'
import { ModelNotExplainable } from '../../../../src/models/explain/model-not-explainable.ts'
import { loadScorer } from '../../../../src/models/load-scorer.ts'
import type { ModelArtefact } from '../../../../src/models/manifest.ts'
import { ArtefactCorrupt } from '../../../../src/models/model-errors.ts'
import { classifiers, regressors } from '../../../support/engine-candidates.ts'
import { mixedClasses, mixedNumbers } from '../../../support/mixed-rows.ts'
import { storedModel } from '../../../support/stored-model.ts'
import { iris } from '../../../support/training-rows.ts'

const named = (candidates: readonly Candidate[], name: string): Candidate =>
  candidates.find((candidate) => candidate.name === name)!

const row = fc.tuple(
  fc.oneof(fc.double({ min: -10, max: 10, noNaN: true }), fc.constantFrom(Number.NaN, 1e300, -1e300)),
  fc.constantFrom(0, 1, 2, 3, 7, 254, 255, 400, Number.NaN),
  fc.oneof(fc.double({ min: -1, max: 1, noNaN: true }), fc.constantFrom(Number.NaN, 0)),
  fc.constantFrom(0, 1, 2, 3, 4, 5, 31, 32, 255, Number.NaN),
)

/** Scores of a row, and the expectation with all contributions added. */
const explained = (artefact: ModelArtefact, features: Float64Array) => {
  const explainer = createExplainer(artefact.manifest, artefact.binary)
  const scorer = loadScorer({ ...artefact.manifest, calibration: null }, artefact.binary)
  const { outputs } = explainer
  const contributions = new Float64Array(features.length * outputs)
  explainer.explain(features, contributions)
  const score = new Float64Array(outputs)
  scorer.scoreBlock(features, 1, score)
  const sums = Float64Array.from(explainer.expected)
  contributions.forEach((value, at) => {
    sums[at % outputs]! += value
  })
  return { explainer, score, sums }
}

const forests: [string, Candidate, Dataset][] = [
  ['our forest, two classes', named(classifiers, 'histogram'), mixedClasses(300, 1, 2)],
  ['our forest, three classes', named(classifiers, 'histogram'), mixedClasses(300, 2, 3)],
  ['our forest, numbers', named(regressors, 'histogram'), mixedNumbers(300, 3)],
  ['ml-random-forest', named(classifiers, 'forest'), mixedClasses(120, 4, 3)],
  [
    'a calibrated forest',
    { ...named(classifiers, 'histogram'), calibration: 'isotonic' } as Candidate,
    mixedClasses(300, 5, 3),
  ],
]

describe.each(forests)('the explainer of %s', (_, candidate, dataset) => {
  const artefact = storedModel(candidate, dataset)

  it('gives contributions that sum to the uncalibrated score less the expectation, for any row', () => {
    fc.assert(
      fc.property(row, (values) => {
        const { score, sums } = explained(artefact, Float64Array.from(values))
        score.forEach((value, output) => {
          expect(Math.abs(sums[output]! - value)).toBeLessThan(1e-9)
        })
      }),
      { seed: 41, numRuns: 60 },
    )
  })

  it('says what it explains', () => {
    const { explainer } = explained(artefact, dataset.features.slice(0, 4))
    expect(explainer.unit).toBe(dataset.kind === 'regression' ? 'value' : 'probability')
    expect(explainer.featureNames).toEqual(dataset.featureNames)
    expect(explainer.classNames).toEqual(dataset.kind === 'regression' ? [] : dataset.classNames)
  })
})

const linear: [string, Candidate, Dataset][] = [
  ['lbfgs', named(classifiers, 'lbfgs'), mixedClasses(300, 6, 3)],
  [
    'lbfgs, two classes, calibrated',
    { ...named(classifiers, 'lbfgs'), calibration: 'platt' } as Candidate,
    mixedClasses(300, 6, 2),
  ],
  ['ml-logistic-regression', named(classifiers, 'ml-logistic-regression'), mixedClasses(300, 7, 3)],
]

describe.each(linear)('the explainer of %s', (_, candidate, dataset) => {
  const artefact = storedModel(candidate, dataset)

  it('gives contributions that sum to the margins, from which the probabilities follow', () => {
    const sigmoid = (margin: number): number => 1 / (1 + Math.exp(-margin))
    const weigh = candidate.engine === 'lbfgs' ? Math.exp : sigmoid
    for (let i = 0; i < 40; i++) {
      const { explainer, score, sums } = explained(artefact, dataset.features.slice(4 * i, 4 * i + 4))
      expect(explainer.unit).toBe('margin')
      const weights = sums.map(weigh)
      const total = weights.reduce((sum, weight) => sum + weight, 0)
      score.forEach((value, output) => {
        expect(weights[output]! / total).toBeCloseTo(value, 12)
      })
    }
  })
})

describe('the explainer of a ridge regression', () => {
  const dataset = mixedNumbers(300, 8)
  const artefact = storedModel(named(regressors, 'cholesky'), dataset)

  it('gives contributions that sum to the value less the mean of the targets', () => {
    const mean = dataset.targets.reduce((sum, value) => sum + value, 0) / dataset.rows
    for (let i = 0; i < 40; i++) {
      const { explainer, score, sums } = explained(artefact, dataset.features.slice(4 * i, 4 * i + 4))
      expect(explainer.unit).toBe('value')
      expect(explainer.expected[0]).toBeCloseTo(mean, 9)
      expect(sums[0]).toBeCloseTo(score[0]!, 9)
    }
  })

  it('has contributions of mean 0 over the training rows, category by category', () => {
    const explainer = createExplainer(artefact.manifest, artefact.binary)
    const out = new Float64Array(4)
    const sums = new Float64Array(4)
    for (let i = 0; i < dataset.rows; i++) {
      explainer.explain(dataset.features, out, 4 * i)
      out.forEach((value, feature) => {
        sums[feature]! += value
      })
    }
    for (const sum of sums) expect(Math.abs(sum)).toBeLessThan(1e-9)
    // Not because nothing contributes.
    explainer.explain(dataset.features, out)
    expect(out.some((value) => Math.abs(value) > 0.1)).toBe(true)
  })
})

describe('a model that cannot be explained', () => {
  it('is refused with the families that can', () => {
    const { manifest, binary } = storedModel(named(classifiers, 'libsvm, linear'), iris())
    expect(() => createExplainer(manifest, binary)).toThrow(ModelNotExplainable)
    expect(() => createExplainer(manifest, binary)).toThrow(/support vector machine.*forests/)
  })

  it('is refused as corrupt where its bytes are others', () => {
    const { manifest, binary } = storedModel(named(classifiers, 'histogram'), iris())
    const damaged = binary.slice()
    damaged[100]! ^= 1
    expect(() => createExplainer(manifest, damaged)).toThrow(ArtefactCorrupt)
  })
})

describe('an explainer', () => {
  it('is given room for a row and its contributions, or refuses', () => {
    const { manifest, binary } = storedModel(named(classifiers, 'histogram'), iris())
    const { explain } = createExplainer(manifest, binary)
    expect(() => explain(new Float64Array(3), new Float64Array(12))).toThrow(RangeError)
    expect(() => explain(new Float64Array(4), new Float64Array(11))).toThrow(RangeError)
    expect(() => explain(new Float64Array(8), new Float64Array(12), 5)).toThrow(RangeError)
  })
})
