import { type CandidateInput, CandidateSchemas, type EngineName } from './candidate-schema.ts'
import { ajv, type Mistake, present } from './schema-mistakes.ts'
import type { SearchChoices, SearchRange } from './search-schema.ts'

type ParameterSchema = { type?: string; description?: string }

const parametersOf = Object.fromEntries(
  Object.entries(CandidateSchemas).map(([engine, schema]) => {
    const parameters = schema.properties.parameters.properties as Record<string, ParameterSchema>
    const known = Object.entries(parameters).map(
      ([name, parameter]) => [name, { schema: parameter, isValid: ajv.compile(parameter) }] as const,
    )
    return [engine, new Map(known)]
  }),
)

/** What is wrong, and at which key or place within the entry; the whole entry where there is none. */
type EntryMistake = { at?: string | number; message: string }

const entryMistake = (engine: EngineName, name: string, values: SearchRange | SearchChoices): EntryMistake | null => {
  const known = parametersOf[engine]!
  const parameter = known.get(name)
  if (parameter === undefined) {
    return { message: `is no parameter of ${engine}; its parameters are ${[...known.keys()].join(', ')}` }
  }
  const { schema, isValid } = parameter
  const refused = (value: unknown): string => {
    isValid(value)
    const rule =
      isValid.errors?.at(-1)?.keyword === 'anyOf' ? `is: ${schema.description}` : isValid.errors?.[0]?.message
    return `is ${present(value)}, and ${name} ${rule}`
  }
  if (Array.isArray(values)) {
    const at = values.findIndex((value) => !isValid(value))
    return at < 0 ? null : { at, message: refused(values[at]) }
  }
  // A whole number is drawn where the parameter is one, said or not.
  if (schema.type === 'integer') values.integer = true
  if (values.from >= values.to) return { message: 'has to go from the least to the greatest value' }
  if (values.scale === 'log' && values.from <= 0) {
    return { at: 'from', message: `is ${values.from}; ratios are drawn from a number above 0 on` }
  }
  if (values.integer && !(Number.isInteger(values.from) && Number.isInteger(values.to))) {
    return { message: 'has to go from a whole number to a whole number' }
  }
  const at = (['from', 'to'] as const).find((end) => !isValid(values[end]))
  return at === undefined ? null : { at, message: refused(values[at]) }
}

/** Whether a search stays within what the engine of its candidate takes. @param path where the candidate stands */
export const searchContradictions = (candidate: CandidateInput, path: (string | number)[]): Mistake[] =>
  Object.entries(candidate.search?.over ?? {}).flatMap(([name, values]) => {
    const mistake = entryMistake(candidate.engine, name, values)
    if (mistake === null) return []
    const place = mistake.at === undefined ? [name] : [name, mistake.at]
    return [{ path: [...path, 'search', 'over', ...place], message: mistake.message }]
  })
