import { candidateContradictions } from '../../config/candidate-contradictions.ts'
import { candidateMistakes } from '../../config/candidate-mistakes.ts'
import { type EngineName, enginesOf } from '../../config/candidate-schema.ts'
import { ConfigInvalid } from '../../errors.ts'
import type { Candidate, ModelFamily, ModelKind } from '../../models/candidate.ts'

/** Without a family asked for, no SVM is tried on more rows: its training time grows with their square. */
export const MAX_UNASKED_SVM_ROWS = 20_000

/** The parameters that the command line knows, by their flags. */
export const parameterFlags = {
  trees: 'trees',
  maxDepth: 'max-depth',
  minSamplesSplit: 'min-samples-split',
  minSamplesLeaf: 'min-samples-leaf',
  maxFeatures: 'max-features',
  criterion: 'criterion',
  bootstrap: 'bootstrap',
  classWeight: 'class-weight',
  maxBins: 'max-bins',
  kernel: 'kernel',
  C: 'C',
  gamma: 'gamma',
  sigma: 'sigma',
  epsilon: 'epsilon',
  tolerance: 'tolerance',
  maxIterations: 'max-iterations',
  steps: 'steps',
  learningRate: 'learning-rate',
  alpha: 'alpha',
} as const

export type ParameterName = keyof typeof parameterFlags

export type ParameterValues = Partial<Record<ParameterName, number | string | boolean>>

const familiesFor: Record<ModelKind, readonly ModelFamily[]> = {
  classification: ['logistic', 'svm', 'forest'],
  regression: ['ridge', 'svm', 'forest'],
}

/** Which parameters each engine takes. */
const takes: Record<EngineName, readonly ParameterName[]> = {
  histogram: [
    'trees',
    'maxDepth',
    'minSamplesSplit',
    'minSamplesLeaf',
    'maxFeatures',
    'criterion',
    'bootstrap',
    'classWeight',
    'maxBins',
  ],
  'ml-random-forest': ['trees', 'maxDepth', 'minSamplesSplit', 'maxFeatures'],
  libsvm: ['kernel', 'C', 'gamma', 'epsilon'],
  'ml-svm': ['kernel', 'C', 'sigma'],
  lbfgs: ['C', 'tolerance', 'maxIterations'],
  'ml-logistic-regression': ['steps', 'learningRate'],
  cholesky: ['alpha'],
}

export type CandidateRequest = {
  readonly kind: ModelKind
  /** Rows to train on. */
  readonly rows: number
  readonly family?: string
  readonly engine?: string
  readonly calibration?: string
  readonly parameters: ParameterValues
}

type Chosen = { family: string; engine: EngineName }

const choose = ({ kind, rows, family, engine }: CandidateRequest): Chosen[] => {
  const known = Object.entries(enginesOf).flatMap(([name, engines]) =>
    engines.map((candidate): Chosen => ({ family: name, engine: candidate })),
  )
  const fitting = known.filter(
    (one) => (family === undefined || one.family === family) && (engine === undefined || one.engine === engine),
  )
  if (fitting.length === 0) {
    throw new ConfigInvalid(
      `--engine ${engine} is not one of the family ${family}: ` +
        Object.entries(enginesOf)
          .map(([name, engines]) => `${name} has ${engines.join(' and ')}`)
          .join(', '),
    )
  }
  if (family !== undefined && engine === undefined && !familiesFor[kind].some((name) => name === family)) {
    const what = kind === 'regression' ? 'numbers' : 'classes'
    throw new ConfigInvalid(`--family ${family} does not predict ${what}; these do: ${familiesFor[kind].join(', ')}`)
  }
  if (family !== undefined || engine !== undefined) return fitting.slice(0, 1)
  return familiesFor[kind]
    .filter((name) => name !== 'svm' || rows <= MAX_UNASKED_SVM_ROWS)
    .map((name) => ({ family: name, engine: enginesOf[name]![0] }))
}

/**
 * What is trained where there is no configuration: the engine that was asked for, or the first engine of every family
 * that fits. Each takes the given parameters that it knows, and its defaults for the others.
 * @throws ConfigInvalid for a parameter that none of them knows or that is out of its bounds
 */
export const adHocCandidates = (request: CandidateRequest): Candidate[] => {
  const { kind, parameters, calibration } = request
  const chosen = choose(request)
  if (kind === 'regression' && calibration !== undefined && calibration !== 'none') {
    throw new ConfigInvalid(
      `--calibration ${calibration} corrects probabilities of classes, and the target is a number`,
    )
  }
  const given = Object.keys(parameters) as ParameterName[]
  const unused = given.find((name) => !chosen.some(({ engine }) => takes[engine].includes(name)))
  if (unused !== undefined) {
    const able = (Object.keys(takes) as EngineName[]).filter((engine) => takes[engine].includes(unused))
    throw new ConfigInvalid(
      `--${parameterFlags[unused]} is no parameter of ${chosen.map(({ engine }) => engine).join(', ')}; it is one of ${able.join(', ')}`,
    )
  }
  const candidates = chosen.map(({ family, engine }) => ({
    name: family,
    family,
    engine,
    ...(calibration === undefined ? {} : { calibration }),
    parameters: Object.fromEntries(given.filter((name) => takes[engine].includes(name)).map((n) => [n, parameters[n]])),
  }))
  const mistakes = candidateMistakes(candidates)
  // Their defaults are filled in, so these are candidates now.
  const checked = candidates as unknown as Parameters<typeof candidateContradictions>[0] & Candidate[]
  const [first] = mistakes.length > 0 ? mistakes : candidateContradictions(checked, kind)
  if (first !== undefined) {
    const name = first.path.at(-1) as ParameterName
    throw new ConfigInvalid(`--${parameterFlags[name] ?? name} ${first.message}`)
  }
  return checked
}
