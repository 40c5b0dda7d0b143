import type { TSchema } from 'typebox'
import { ConfigInvalid } from '../errors.ts'
import { candidateContradictions } from './candidate-contradictions.ts'
import { candidateMistakes, candidateShell } from './candidate-mistakes.ts'
import { ajv, type Mistake, mistakesOf } from './schema-mistakes.ts'
import { promotionMetrics, taskContradictions } from './task-contradictions.ts'
import { type TaskConfig, type TaskInput, TaskSchema } from './task-schema.ts'
import { parseYaml, type YamlSource } from './yaml-source.ts'

const shell = structuredClone(TaskSchema) as unknown as {
  properties: { training: { properties: { candidates: { items: unknown } } } }
}
shell.properties.training.properties.candidates.items = candidateShell
const validateTask = ajv.compile(shell as unknown as TSchema)

const describePath = (path: readonly (string | number)[]): string =>
  path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`),
    '',
  )

const refuse = (source: YamlSource, mistakes: readonly Mistake[]): never => {
  const lines = mistakes.map((mistake) => {
    const { line, column } = source.locate(mistake.path)
    return `${source.file}:${line}:${column}: ${describePath(mistake.path) || 'the file'} ${mistake.message}`
  })
  throw new ConfigInvalid([...new Set(lines)].join('\n'))
}

/**
 * Parses and checks one task file; fills in the defaults.
 * @param text the YAML text
 * @param file its name, for messages
 * @throws ConfigInvalid with one line per mistake, `file:line:column: key what is wrong; what is allowed`
 */
export const validateTaskText = (text: string, file: string): TaskConfig => {
  const source = parseYaml(text, file)
  const value = source.value as TaskInput
  if (!validateTask(value)) refuse(source, mistakesOf(validateTask))

  const mistakes = candidateMistakes(value.training.candidates)
  if (mistakes.length > 0) refuse(source, mistakes)

  const contradictions = [
    ...taskContradictions(value),
    ...candidateContradictions(value.training.candidates, value.target.type),
  ]
  if (contradictions.length > 0) refuse(source, contradictions)
  value.promotion.metric ??= promotionMetrics[value.target.type][0]
  // That the keys of features and target go together was seen above; the type of the file cannot say it.
  return value as TaskConfig
}
