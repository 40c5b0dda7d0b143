import type { CandidateInput, EngineName } from './candidate-schema.ts'
import { type Mistake, present } from './schema-mistakes.ts'
import { searchContradictions } from './search-contradictions.ts'

type TaskKind = 'classification' | 'regression'

/** What each engine can predict. */
const kindsOf: Record<EngineName, readonly TaskKind[]> = {
  histogram: ['classification', 'regression'],
  'ml-random-forest': ['classification'],
  libsvm: ['classification', 'regression'],
  'ml-svm': ['classification'],
  lbfgs: ['classification'],
  'ml-logistic-regression': ['classification'],
  cholesky: ['regression'],
}

const criteriaOf: Record<TaskKind, readonly string[]> = {
  classification: ['auto', 'gini', 'entropy'],
  regression: ['auto', 'squared_error'],
}

/** Every criterion that a forest may be grown by, those of its search too, and where it stands in the candidate. */
const criteriaIn = (candidate: CandidateInput): [place: (string | number)[], criterion: string][] => {
  if (candidate.engine !== 'histogram') return []
  const searched = candidate.search?.over['criterion']
  const choices = Array.isArray(searched) ? searched : []
  return [
    [['parameters', 'criterion'], candidate.parameters.criterion],
    ...choices.map((value, i): [(string | number)[], string] => [['search', 'over', 'criterion', i], String(value)]),
  ]
}

/** What a schema cannot say of the candidates: whether they go together with what the task predicts, and with their search. */
export const candidateContradictions = (candidates: readonly CandidateInput[], kind: TaskKind): Mistake[] =>
  candidates.flatMap((candidate, index) => {
    const path = ['training', 'candidates', index]
    const found: Mistake[] = []
    const { engine } = candidate
    if (!kindsOf[engine].includes(kind)) {
      const able = Object.entries(kindsOf).flatMap(([name, kinds]) => (kinds.includes(kind) ? [name] : []))
      const message = `is ${present(engine)}, which cannot train a ${kind}; these can: ${able.join(', ')}`
      found.push({ path: [...path, 'engine'], message })
    }
    if (kind === 'regression' && candidate.calibration !== 'none') {
      found.push({ path: [...path, 'calibration'], message: 'corrects probabilities, and a regression has none' })
    }
    for (const [place, criterion] of criteriaIn(candidate)) {
      if (criteriaOf[kind].includes(criterion)) continue
      const message = `is ${present(criterion)}; for a ${kind} it has to be one of ${criteriaOf[kind].join(', ')}`
      found.push({ path: [...path, ...place], message })
    }
    return [...found, ...searchContradictions(candidate, path)]
  })
