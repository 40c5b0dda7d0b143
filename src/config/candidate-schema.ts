import { type Static, type TSchema, Type } from 'typebox'
import { Name, strict } from './schema-parts.ts'
import { SearchSchema } from './search-schema.ts'

const parametersOf = <P extends Record<string, TSchema>>(parameters: P) =>
  Type.Object(parameters, { ...strict, default: {} })

/** The schema of a candidate of one engine. */
const candidateOf = <F extends string, E extends string, P extends Record<string, TSchema>>(
  family: F,
  engine: E,
  parameters: P,
) =>
  Type.Object(
    {
      name: Name('How reports and manifests call this candidate.'),
      family: Type.Literal(family, { description: 'The kind of model.' }),
      engine: Type.Literal(engine, { default: engine, description: 'What trains it.' }),
      parameters: parametersOf(parameters),
      calibration: Type.Enum(['none', 'platt', 'isotonic'], {
        default: 'none',
        description:
          'How the probabilities of classes are corrected on held-out folds: by a sigmoid each, or by any rising curve, which needs some hundred rows a class.',
      }),
      search: Type.Optional(SearchSchema),
    },
    strict,
  )

const Trees = Type.Integer({ minimum: 1, maximum: 5000, default: 100, description: 'Trees in the forest.' })
const MaxDepth = Type.Integer({
  minimum: 1,
  maximum: 64,
  default: 10,
  description: 'Most splits between the root of a tree and a leaf.',
})
const MinSamplesSplit = Type.Integer({
  minimum: 2,
  default: 2,
  description: 'Fewest rows that a node needs to be split.',
})
const Kernel = Type.Enum(['rbf', 'linear'], { default: 'rbf', description: 'How likeness of two rows is measured.' })
const Price = Type.Number({
  exclusiveMinimum: 0,
  default: 1,
  description: 'Price of a row on the wrong side: more fits the training rows more closely.',
})

const Histogram = candidateOf('forest', 'histogram', {
  trees: Trees,
  maxDepth: MaxDepth,
  minSamplesSplit: MinSamplesSplit,
  minSamplesLeaf: Type.Integer({
    minimum: 1,
    default: 1,
    description: 'Fewest rows that a split leaves on either side.',
  }),
  maxFeatures: Type.Union(
    [Type.Number({ exclusiveMinimum: 0, maximum: 1 }), Type.Enum(['auto', 'sqrt', 'log2', 'all'])],
    {
      default: 'auto',
      description:
        'Features that each split looks at: a share above 0 and up to 1, or a rule of their number; auto is sqrt for classes and all for numbers.',
    },
  ),
  criterion: Type.Enum(['auto', 'gini', 'entropy', 'squared_error'], {
    default: 'auto',
    description: 'What a split lessens; auto is gini for classes and squared_error for numbers.',
  }),
  bootstrap: Type.Boolean({
    default: true,
    description: 'Whether each tree sees rows drawn with replacement, or all of them.',
  }),
  classWeight: Type.Enum(['none', 'balanced'], {
    default: 'none',
    description: 'Whether rows of rare classes weigh more, so that all classes weigh the same.',
  }),
  maxBins: Type.Integer({
    minimum: 2,
    maximum: 256,
    default: 256,
    description: 'Most bins that the values of a feature are sorted into.',
  }),
})

const MlRandomForest = candidateOf('forest', 'ml-random-forest', {
  trees: Trees,
  maxDepth: MaxDepth,
  minSamplesSplit: MinSamplesSplit,
  maxFeatures: Type.Number({
    exclusiveMinimum: 0,
    maximum: 1,
    default: 0.5,
    description: 'Share of the features that a tree may use.',
  }),
})

const Libsvm = candidateOf('svm', 'libsvm', {
  kernel: Kernel,
  C: Price,
  gamma: Type.Union([Type.Number({ exclusiveMinimum: 0 }), Type.Enum(['scale'])], {
    default: 'scale',
    description:
      'Narrowness of the Gaussian kernel over standardised features: a number above 0, or scale, which is 1 / (columns * variance).',
  }),
  epsilon: Type.Number({
    minimum: 0,
    default: 0.1,
    description: "Errors of a predicted number up to it cost nothing; in standard deviations of the target's values.",
  }),
})

const MlSvm = candidateOf('svm', 'ml-svm', {
  kernel: Kernel,
  C: Price,
  sigma: Type.Number({
    exclusiveMinimum: 0,
    default: 2,
    description: 'Width of the Gaussian kernel over standardised features.',
  }),
})

const Lbfgs = candidateOf('logistic', 'lbfgs', {
  C: Type.Number({
    exclusiveMinimum: 0,
    default: 1,
    description: 'Inverse strength of the L2 penalty: more fits the training rows more closely.',
  }),
  tolerance: Type.Number({
    exclusiveMinimum: 0,
    default: 1e-6,
    description: 'Greatest part of the gradient of the mean loss at which the fit has converged.',
  }),
  maxIterations: Type.Integer({
    minimum: 1,
    maximum: 100_000,
    default: 1000,
    description: 'A fit that has not converged by then fails.',
  }),
})

const MlLogistic = candidateOf('logistic', 'ml-logistic-regression', {
  steps: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 5000, description: 'Steps of gradient descent.' }),
  learningRate: Type.Number({ exclusiveMinimum: 0, default: 0.005, description: 'Size of a step.' }),
})

const Cholesky = candidateOf('ridge', 'cholesky', {
  alpha: Type.Number({ exclusiveMinimum: 0, default: 1, description: 'Strength of the L2 penalty.' }),
})

/** The schema of a candidate by its engine; the first engine of a family is its default. */
export const CandidateSchemas = {
  histogram: Histogram,
  'ml-random-forest': MlRandomForest,
  libsvm: Libsvm,
  'ml-svm': MlSvm,
  lbfgs: Lbfgs,
  'ml-logistic-regression': MlLogistic,
  cholesky: Cholesky,
}

export type EngineName = keyof typeof CandidateSchemas

/** The engines of each family, its default first. */
export const enginesOf: Record<string, readonly [EngineName, ...EngineName[]]> = {
  forest: ['histogram', 'ml-random-forest'],
  svm: ['libsvm', 'ml-svm'],
  logistic: ['lbfgs', 'ml-logistic-regression'],
  ridge: ['cholesky'],
}

export const CandidateSchema = Type.Union([Histogram, MlRandomForest, Libsvm, MlSvm, Lbfgs, MlLogistic, Cholesky])

export type CandidateInput = Static<typeof CandidateSchema>
