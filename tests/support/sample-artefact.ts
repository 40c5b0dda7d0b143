import { hash } from 'node:crypto'
import type { Evaluation, ModelArtefact, RunRecord } from '../../src/models/manifest.ts'
import type { Scorer } from '../../src/models/scorer.ts'
import type { LoadScorer, VerifyGolden } from '../../src/registry/model-loader.ts'

const evaluation: Evaluation = {
  kind: 'classification',
  rows: 4,
  accuracy: 1,
  macro_f1: 1,
  log_loss: 0,
  brier_score: 0,
  calibration_error: 0,
  confusion: [
    [2, 0],
    [0, 2],
  ],
  per_class: [],
}

/**
 * The smallest model there is: two features, two classes, and the same probability for every row. So each probability
 * that it gave tells which model gave it.
 * @param probability of the second class
 * @param padding further numbers in the binary, for a model of some size
 */
export const sampleArtefact = (probability: number, padding = 0): ModelArtefact => {
  const values = new Float64Array(1 + padding)
  values[0] = probability
  const binary = new Uint8Array(values.buffer)
  return {
    manifest: {
      format: 2,
      kind: 'classification',
      categories: [[], []],
      calibration: null,
      task: 'sample',
      name: 'constant',
      family: 'logistic',
      engine: 'test',
      parameters: {},
      features: ['a', 'b'],
      classes: ['no', 'yes'],
      standardiser: { mean: [0, 0], scale: [1, 1] },
      seed: 1,
      data: { digest: '0'.repeat(64), base_rows: 4, recent_rows: 0, train_rows: 4, test_rows: 4 },
      reference: { source: 'training', rows: 0 },
      metrics: {
        cv: { metric: 'accuracy', mean: 1, sd: 0, se: 0, folds: 5, repeats: 1 },
        train: evaluation,
        test: evaluation,
      },
      candidates: [],
      golden: {
        features: [
          [1, 2],
          [3, 4],
        ],
        outputs: [
          [1 - probability, probability],
          [1 - probability, probability],
        ],
        tolerance: 1e-12,
      },
      parent: null,
      reason: 'initial',
      binary: {
        sha256: hash('sha256', binary),
        bytes: binary.byteLength,
        sections: [{ name: 'values', type: 'float64', offset: 0, length: values.length }],
      },
    },
    binary,
  }
}

export const sampleRun = (trainedAt = 0): RunRecord => ({
  trained_at: trainedAt,
  trained_by: 'test',
  seconds: 0,
  fit_seconds: {},
  artefact_bytes: {},
  node: '24',
  driftline: '0',
})

/** Compiles a sample artefact. It reads the binary through a typed array, as real models do. */
export const loadSample: LoadScorer = (manifest, binary): Scorer => {
  const probability = new Float64Array(binary.buffer, binary.byteOffset, binary.byteLength / 8)[0]!
  return {
    kind: 'classification',
    featureNames: manifest.features,
    classNames: manifest.classes,
    outputs: 2,
    scoreBlock: (_features, rows, probabilities) => {
      for (let row = 0; row < rows; row += 1) {
        probabilities[2 * row] = 1 - probability
        probabilities[2 * row + 1] = probability
      }
    },
  }
}

export const verifySample: VerifyGolden = (scorer, golden) => {
  const probabilities = new Float64Array(2 * golden.features.length)
  scorer.scoreBlock(
    Float64Array.from(golden.features.flat(), (value) => value ?? Number.NaN),
    golden.features.length,
    probabilities,
  )
  if (golden.outputs.flat().some((expected, at) => Math.abs(expected - probabilities[at]!) > golden.tolerance)) {
    throw new Error('the golden rows came out differently')
  }
}
