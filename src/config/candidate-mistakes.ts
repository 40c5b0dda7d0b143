import { CandidateSchemas, type EngineName, enginesOf } from './candidate-schema.ts'
import { ajv, type Mistake, mistakesOf, present } from './schema-mistakes.ts'
import { OverSchemas } from './search-schema.ts'

/**
 * What every candidate has. Ajv fills no defaults inside a union, and reports every branch of one; family and engine
 * pick the branch, so the schema of the task asks for no more than these and each candidate is checked by its own.
 */
export const candidateShell = {
  type: 'object',
  required: ['family'],
  properties: { family: { enum: Object.keys(enginesOf) }, engine: { type: 'string' } },
}

type AnyCandidate = { family: string; engine?: string; search?: { over: Record<string, unknown> } }

const validators = Object.fromEntries(
  Object.entries(CandidateSchemas).map(([engine, schema]) => [engine, ajv.compile(schema)]),
)
const validateRange = ajv.compile(OverSchemas.range)
const validateChoices = ajv.compile(OverSchemas.choices)

const searchMistakes = (over: Record<string, unknown>, path: (string | number)[]): Mistake[] =>
  Object.entries(over).flatMap(([parameter, values]) => {
    if (typeof values !== 'object' || values === null) {
      const message = `is ${present(values)}; it has to be a list of values, or a range with from and to`
      return [{ path: [...path, parameter], message }]
    }
    const validate = Array.isArray(values) ? validateChoices : validateRange
    return validate(values) ? [] : mistakesOf(validate, [...path, parameter])
  })

/**
 * Checks each candidate by the schema of its engine and fills in its defaults, the engine among them.
 * @param candidates as the file has them, each of a known family
 */
export const candidateMistakes = (candidates: readonly AnyCandidate[]): Mistake[] =>
  candidates.flatMap((candidate, index) => {
    const path = ['training', 'candidates', index]
    const engines: readonly string[] = enginesOf[candidate.family] ?? []
    candidate.engine ??= engines[0] as EngineName
    if (!engines.includes(candidate.engine)) {
      const allowed = engines.map(present).join(', ')
      return [
        {
          path: [...path, 'engine'],
          message: `is ${present(candidate.engine)}; allowed for the family ${candidate.family}: ${allowed}`,
        },
      ]
    }
    const validate = validators[candidate.engine]!
    const isValid: boolean = validate(candidate)
    if (!isValid) return mistakesOf(validate, path)
    return candidate.search === undefined ? [] : searchMistakes(candidate.search.over, [...path, 'search', 'over'])
  })
