import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { Value } from 'typebox/value'
import { encodedColumns } from '../features/encoder.ts'
import type { ModelManifest } from './manifest.ts'
import { ArtefactCorrupt } from './model-errors.ts'

const Count = Type.Integer({ minimum: 0 })
const Share = Type.Number({ minimum: 0, maximum: 1 })
const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' })
const Names = Type.Array(Type.String({ minLength: 1 }), { minItems: 1, uniqueItems: true })
const Parameters = Type.Record(Type.String(), Type.Union([Type.Number(), Type.String(), Type.Boolean()]))
const Positive = Type.Number({ minimum: 0 })

const probabilityScores = { log_loss: Positive, brier_score: Positive, calibration_error: Share }
const ProbabilityScoresSchema = Type.Object(probabilityScores)

const EvaluationSchema = Type.Union([
  Type.Object({
    kind: Type.Literal('classification'),
    rows: Count,
    accuracy: Share,
    macro_f1: Share,
    ...probabilityScores,
    confusion: Type.Array(Type.Array(Count)),
    per_class: Type.Array(
      Type.Object({ class: Type.String(), precision: Share, recall: Share, f1: Share, support: Count }),
    ),
  }),
  Type.Object({
    kind: Type.Literal('regression'),
    rows: Count,
    r2: Type.Number({ maximum: 1 }),
    rmse: Positive,
    mae: Positive,
  }),
])

const Metric = Type.Union([Type.Literal('accuracy'), Type.Literal('r2')])

const CrossValidationSchema = Type.Object({
  metric: Metric,
  mean: Type.Number({ maximum: 1 }),
  sd: Positive,
  se: Positive,
  folds: Count,
  repeats: Count,
})

const candidateFields = {
  name: Type.String(),
  family: Type.String(),
  engine: Type.String(),
  parameters: Parameters,
  calibration: Type.String(),
}

const CandidateReportSchema = Type.Union([
  Type.Object({
    ...candidateFields,
    status: Type.Literal('trained'),
    cv: CrossValidationSchema,
    test: Type.Optional(EvaluationSchema),
  }),
  Type.Object({ ...candidateFields, status: Type.Literal('skipped'), reason: Type.String() }),
])

const ManifestSchema = Type.Object({
  format: Type.Literal(2),
  task: Type.String({ minLength: 1 }),
  name: Type.String(),
  kind: Type.Union([Type.Literal('classification'), Type.Literal('regression')]),
  family: Type.Union([Type.Literal('logistic'), Type.Literal('ridge'), Type.Literal('forest'), Type.Literal('svm')]),
  engine: Type.String(),
  parameters: Parameters,
  features: Names,
  categories: Type.Array(Type.Array(Type.String(), { uniqueItems: true, maxItems: 255 })),
  classes: Type.Array(Type.String({ minLength: 1 }), { uniqueItems: true }),
  standardiser: Type.Union([
    Type.Null(),
    Type.Object({
      mean: Type.Array(Type.Number()),
      scale: Type.Array(Type.Number({ exclusiveMinimum: 0 })),
    }),
  ]),
  calibration: Type.Union([
    Type.Null(),
    Type.Object({
      method: Type.Union([Type.Literal('platt'), Type.Literal('isotonic')]),
      before: ProbabilityScoresSchema,
      after: ProbabilityScoresSchema,
    }),
  ]),
  seed: Count,
  data: Type.Object({ digest: Sha256, base_rows: Count, recent_rows: Count, train_rows: Count, test_rows: Count }),
  reference: Type.Object({ source: Type.Union([Type.Literal('training'), Type.Literal('recent')]), rows: Count }),
  selection: Type.Optional(Type.Union([Type.Literal('best'), Type.Literal('one_standard_error')])),
  metrics: Type.Object({
    cv: CrossValidationSchema,
    nested: Type.Optional(CrossValidationSchema),
    out_of_bag: Type.Optional(Type.Object({ metric: Metric, score: Type.Number({ maximum: 1 }), rows: Count })),
    train: EvaluationSchema,
    test: EvaluationSchema,
  }),
  importance: Type.Optional(
    Type.Object({
      method: Type.Literal('permutation'),
      metric: Metric,
      rows: Count,
      repeats: Count,
      features: Type.Array(Type.Object({ feature: Type.String(), mean: Type.Number(), sd: Positive })),
    }),
  ),
  candidates: Type.Array(CandidateReportSchema),
  golden: Type.Object({
    features: Type.Array(Type.Array(Type.Union([Type.Number(), Type.Null()]))),
    outputs: Type.Array(Type.Array(Type.Number())),
    tolerance: Type.Number({ minimum: 0, maximum: 1 }),
  }),
  parent: Type.Union([Type.String(), Type.Null()]),
  reason: Type.String(),
  binary: Type.Object({
    sha256: Sha256,
    bytes: Count,
    sections: Type.Array(
      Type.Object({
        name: Type.String({ minLength: 1 }),
        type: Type.Union([Type.Literal('float64'), Type.Literal('int32'), Type.Literal('uint8')]),
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
  const outputs = kind === 'regression' ? 1 : classes.length
  if (golden.features.some((row) => row.length !== features)) return `a golden row has no ${features} features`
  if (golden.outputs.some((row) => row.length !== outputs)) return `a golden row has no ${outputs} outputs`
  return null
}

// Checking by the schema itself takes half a millisecond, a tenth of a load; compiled, which takes a few once, nothing.
const compileSchema = () => Compile(ManifestSchema)
let compiledSchema: ReturnType<typeof compileSchema> | null = null

/**
 * Checks that a value has the shape of a manifest before anything in it is used.
 * @throws ArtefactCorrupt with the place of the first mistake
 */
export const checkManifest = (value: unknown): ModelManifest => {
  if (typeof value === 'object' && value !== null && 'format' in value && value.format === 1) {
    throw new ArtefactCorrupt('the manifest has format 1, that of an earlier release; train the model again')
  }
  compiledSchema ??= compileSchema()
  if (!compiledSchema.Check(value)) {
    const [error] = Value.Errors(ManifestSchema, value)
    throw new ArtefactCorrupt(`the manifest is not that of a model: ${error?.instancePath} ${error?.message}`)
  }
  const mismatch = findMismatch(value)
  if (mismatch !== null) throw new ArtefactCorrupt(`the manifest contradicts itself: ${mismatch}`)
  return value
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
