import { encodedColumns } from '../features/encoder.ts'
import type { ModelManifest } from './manifest.ts'
import { ArtefactCorrupt } from './model-errors.ts'
import { outputsOf } from './scorer.ts'
import { flag, list, literal, nothing, number, object, oneOf, optional, record, text, whole } from './shape.ts'

const Name = text({ pattern: /./s, what: 'text that is not empty' })
const Count = whole({ minimum: 0 })
const Share = number({ minimum: 0, maximum: 1 })
const Sha256 = text({ pattern: /^[0-9a-f]{64}$/, what: 'a SHA-256 in hex' })
const Names = list(Name, { minItems: 1, unique: true })
const Parameters = record(oneOf(number(), text(), flag()))
const Positive = number({ minimum: 0 })

const probabilityScores = { log_loss: Positive, brier_score: Positive, calibration_error: Share }
const ProbabilityScoresShape = object(probabilityScores)

const EvaluationShape = oneOf(
  object({
    kind: literal('classification'),
    rows: Count,
    accuracy: Share,
    macro_f1: Share,
    ...probabilityScores,
    confusion: list(list(Count)),
    per_class: list(object({ class: text(), precision: Share, recall: Share, f1: Share, support: Count })),
  }),
  object({
    kind: literal('regression'),
    rows: Count,
    r2: number({ maximum: 1 }),
    rmse: Positive,
    mae: Positive,
  }),
)

const Metric = oneOf(literal('accuracy'), literal('r2'))

const CrossValidationShape = object({
  metric: Metric,
  mean: number({ maximum: 1 }),
  sd: Positive,
  se: Positive,
  folds: Count,
  repeats: Count,
})

const candidateFields = {
  name: text(),
  family: text(),
  engine: text(),
  parameters: Parameters,
  calibration: text(),
}

const CandidateReportShape = oneOf(
  object({
    ...candidateFields,
    status: literal('trained'),
    cv: CrossValidationShape,
    test: optional(EvaluationShape),
  }),
  object({ ...candidateFields, status: literal('skipped'), reason: text() }),
)

const ManifestShape = object({
  format: literal(2),
  task: Name,
  name: text(),
  kind: oneOf(literal('classification'), literal('regression')),
  family: oneOf(literal('logistic'), literal('ridge'), literal('forest'), literal('svm')),
  engine: text(),
  parameters: Parameters,
  features: Names,
  categories: list(list(text(), { unique: true, maxItems: 255 })),
  classes: list(Name, { unique: true }),
  standardiser: oneOf(
    nothing(),
    object({
      mean: list(number()),
      scale: list(number({ above: 0 })),
    }),
  ),
  calibration: oneOf(
    nothing(),
    object({
      method: oneOf(literal('platt'), literal('isotonic')),
      before: ProbabilityScoresShape,
      after: ProbabilityScoresShape,
    }),
  ),
  seed: Count,
  data: object({ digest: Sha256, base_rows: Count, recent_rows: Count, train_rows: Count, test_rows: Count }),
  reference: object({ source: oneOf(literal('training'), literal('recent')), rows: Count }),
  selection: optional(oneOf(literal('best'), literal('one_standard_error'))),
  metrics: object({
    cv: CrossValidationShape,
    nested: optional(CrossValidationShape),
    out_of_bag: optional(object({ metric: Metric, score: number({ maximum: 1 }), rows: Count })),
    train: EvaluationShape,
    test: EvaluationShape,
  }),
  importance: optional(
    object({
      method: literal('permutation'),
      metric: Metric,
      rows: Count,
      repeats: Count,
      features: list(object({ feature: text(), mean: number(), sd: Positive })),
    }),
  ),
  candidates: list(CandidateReportShape),
  golden: object({
    features: list(list(oneOf(number(), nothing()))),
    outputs: list(list(number())),
    tolerance: number({ minimum: 0, maximum: 1 }),
  }),
  parent: oneOf(text(), nothing()),
  reason: text(),
  binary: object({
    sha256: Sha256,
    bytes: Count,
    sections: list(
      object({
        name: Name,
        type: oneOf(literal('float64'), literal('int32'), literal('uint8')),
        offset: Count,
        length: Count,
      }),
    ),
  }),
})

/** What the lists of a manifest have to have in common; null where they do. */
const findMismatch = (manifest: ModelManifest): string | null => {
  const features = manifest.features.length
  const { kind, classes, categories, standardiser, golden } = manifest
  if (categories.length !== features)
    return `it has categories of ${categories.length} features, and ${features} features`
  if (kind === 'classification' ? classes.length < 2 : classes.length > 0) {
    return `a ${kind} has ${classes.length} classes`
  }
  if (kind === 'regression' && manifest.calibration !== null) return 'a regression has no probabilities to calibrate'
  const columns = encodedColumns(categories.map(({ length }) => length))
  if (standardiser !== null && (standardiser.mean.length !== columns || standardiser.scale.length !== columns)) {
    return `the standardiser has ${standardiser.mean.length} means and ${standardiser.scale.length} scales for ${columns} columns`
  }
  if (golden.features.length === 0 || golden.features.length !== golden.outputs.length) {
    return `there are ${golden.features.length} golden rows and ${golden.outputs.length} golden outputs`
  }
  const outputs = outputsOf(kind, classes)
  if (golden.features.some((row) => row.length !== features)) return `a golden row has no ${features} features`
  if (golden.outputs.some((row) => row.length !== outputs)) return `a golden row has no ${outputs} outputs`
  return null
}

/**
 * Checks that a value has the shape of a manifest before anything in it is used.
 * @throws ArtefactCorrupt with the place of the first mistake
 */
export const checkManifest = (value: unknown): ModelManifest => {
  if (typeof value === 'object' && value !== null && 'format' in value && value.format === 1) {
    throw new ArtefactCorrupt('the manifest has format 1, that of an earlier release; train the model again')
  }
  const mistake = ManifestShape(value)
  if (mistake !== null) {
    throw new ArtefactCorrupt(`the manifest is not that of a model: ${mistake.at} ${mistake.message}`)
  }
  const manifest = value as ModelManifest
  const mismatch = findMismatch(manifest)
  if (mismatch !== null) throw new ArtefactCorrupt(`the manifest contradicts itself: ${mismatch}`)
  return manifest
}

/** Objects with their keys in code-unit order, so that the bytes do not depend on how a manifest was put together. */
const sortKeys = (_key: string, value: unknown): unknown => {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new ArtefactCorrupt(`a manifest cannot hold ${value}; every number in it must be finite`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries)
}

/**
 * JSON with sorted keys, two spaces of indent and a line feed at its end: equal manifests give equal bytes.
 * @throws ArtefactCorrupt if a number is not finite
 */
export const encodeManifest = (manifest: ModelManifest): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(manifest, sortKeys, 2)}\n`)

/** @throws ArtefactCorrupt unless the bytes are JSON and have the shape of a manifest */
export const decodeManifest = (bytes: Uint8Array): ModelManifest => {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new ArtefactCorrupt('the manifest is not JSON', { cause })
  }
  return checkManifest(value)
}
