import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../../src/errors.ts'
import type { Dataset } from '../../../src/features/dataset.ts'
import type { Candidate } from '../../../src/models/candidate.ts'
import { createExplainer } from '../../../src/models/explain/create-explainer.ts'
import { loadScorer } from '../../../src/models/load-scorer.ts'
import type { ModelArtefact } from '../../../src/models/manifest.ts'
import { decodeManifest } from '../../../src/models/manifest-codec.ts'
import type { Scorer } from '../../../src/models/scorer.ts'
import { compareGolden } from '../../../src/models/verify-golden.ts'
import { classifiers, regressors } from '../../support/engine-candidates.ts'
import { mixedClasses, mixedNumbers } from '../../support/mixed-rows.ts'
import { type Mutation, mutate, mutationsOf } from '../../support/mutations.ts'
import { storedModel } from '../../support/stored-model.ts'
import { clouds } from '../../support/training-rows.ts'

/** All that the models are changed by, together. */
const MUTATIONS = 10_000

/** More than any of these models needs to be loaded and to score. */
const MEMORY_LIMIT_BYTES = 64 * 2 ** 20

const small = (candidate: Candidate): Candidate =>
  candidate.family === 'forest'
    ? ({ ...candidate, parameters: { ...candidate.parameters, trees: 4, maxDepth: 4 } } as Candidate)
    : candidate

const calibrated = (candidate: Candidate, calibration: Candidate['calibration']): Candidate => ({
  ...small(candidate),
  calibration,
  name: `${candidate.name}, ${calibration}`,
})

const threeClouds = clouds({ rowsPerClass: 20, classes: 3, columns: 4, distance: 1.5, seed: 7 })
const [histogram, logistic] = [classifiers[0]!, classifiers.find(({ engine }) => engine === 'lbfgs')!]

const bases: [string, Candidate, Dataset][] = [
  ...classifiers.map((one): [string, Candidate, Dataset] => [one.name, small(one), threeClouds]),
  ...regressors.map((one): [string, Candidate, Dataset] => [`${one.name}, numbers`, small(one), mixedNumbers(80, 1)]),
  ['histogram with categories', small(histogram), mixedClasses(80, 2, 3)],
  ['lbfgs with categories, two classes', logistic, mixedClasses(80, 3, 2)],
  ['histogram, platt', calibrated(histogram, 'platt'), threeClouds],
  ['histogram, isotonic', calibrated(histogram, 'isotonic'), threeClouds],
  ['lbfgs, isotonic, two classes', calibrated(logistic, 'isotonic'), mixedClasses(80, 4, 2)],
]

const values = [0, -1, 0.5, 2, 3, 254, 255, 256, 1e300, -1e300, 5e-324, Number.NaN, Infinity, -Infinity]

/** Rows of the strangest numbers there are, whatever the columns. */
const hostileRows = (columns: number): Float64Array =>
  Float64Array.from({ length: 9 * columns }, (_, i) => values[(i * 5 + Math.floor(i / columns)) % values.length]!)

const expectSound = (scorer: Scorer): void => {
  const { outputs, kind } = scorer
  const rows = hostileRows(scorer.featureNames.length)
  const out = new Float64Array(9 * outputs).fill(Number.NaN)
  scorer.scoreBlock(rows, 9, out)
  for (let at = 0; at < out.length; at += outputs) {
    const row = out.subarray(at, at + outputs)
    const sum = row.reduce((total, value) => total + value, 0)
    const sound =
      kind === 'regression' ? Number.isFinite(sum) : row.every((p) => p >= 0 && p <= 1) && Math.abs(sum - 1) < 1e-9
    if (!sound)
      throw new Error(
        `row ${at / outputs} [${rows.subarray((at / outputs) * scorer.featureNames.length).slice(0, scorer.featureNames.length)}] scores [${row}]`,
      )
  }
}

const expectSoundExplanation = ({ manifest, binary }: ModelArtefact): void => {
  const explainer = createExplainer(manifest, binary)
  const columns = manifest.features.length
  const out = new Float64Array(columns * explainer.outputs)
  const rows = hostileRows(columns)
  for (let row = 0; row < 3; row++) {
    explainer.explain(rows, out, row * columns)
    if (!out.every(Number.isFinite)) throw new Error(`row ${row} is explained by [${out}]`)
  }
}

const isRefused = (run: () => void): boolean => {
  try {
    run()
    return false
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return true
  }
}

type Outcome = 'refused' | 'golden rows differ' | 'loaded'

/** Does with a changed model what a worker does, and more: whatever loads must score soundly. */
const tryOut = (artefact: ModelArtefact, mutations: readonly Mutation[]): Outcome => {
  const { manifest, binary } = mutate(artefact, mutations)
  const bytes = new TextEncoder().encode(JSON.stringify(manifest) ?? 'null')
  let found: Outcome = 'refused'
  isRefused(() => {
    const decoded = decodeManifest(bytes)
    const before = process.memoryUsage().arrayBuffers
    const scorer = loadScorer(decoded, binary)
    expectSound(scorer)
    found = compareGolden(scorer, decoded.golden) === null ? 'loaded' : 'golden rows differ'
    isRefused(() => expectSoundExplanation({ manifest: decoded, binary }))
    // What was freed meanwhile only makes it less.
    const taken = process.memoryUsage().arrayBuffers - before
    if (taken > MEMORY_LIMIT_BYTES) throw new Error(`a model of ${binary.length} bytes took ${taken} bytes of memory`)
  })
  return found
}

describe('stored models that somebody changed', () => {
  const runs = Math.ceil(MUTATIONS / bases.length)

  it.each(bases)(
    '%s: each is refused with a typed error, or scores soundly',
    { timeout: 60_000 },
    (_, candidate, dataset) => {
      const artefact = storedModel(candidate, dataset)
      expect(tryOut(artefact, [])).toBe('loaded')
      const seen = { refused: 0, 'golden rows differ': 0, loaded: 0 }
      fc.assert(
        fc.property(mutationsOf(artefact), (mutations) => {
          seen[tryOut(artefact, mutations)]++
        }),
        { seed: 1848, numRuns: runs },
      )
      // Changes that were always refused at the door, or never, would say nothing of what is behind it.
      expect(seen.refused).toBeGreaterThan(runs / 10)
      expect(seen.loaded + seen['golden rows differ']).toBeGreaterThan(runs / 20)
    },
  )
})
