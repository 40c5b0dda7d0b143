import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'

/** Fills in defaults and finds every mistake, not only the first. YAML's .inf and .nan are no numbers. */
export const ajv = new Ajv({ allErrors: true, useDefaults: true, verbose: true, strict: false, strictNumbers: true })

/** What is wrong at a place of the file. `key` is the name of a key that should not be there. */
export type Mistake = { path: (string | number)[]; key?: string; message: string }

const pathOf = (pointer: string): (string | number)[] =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part))

/** A value as a message shows it. */
export const present = (value: unknown): string => {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value))
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

const toMistake = (error: ErrorObject, prefix: (string | number)[]): Mistake => {
  const path = [...prefix, ...pathOf(error.instancePath)]
  const parent = error.parentSchema as { properties?: Record<string, unknown>; description?: string } | undefined
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(error.params['additionalProperty'])
      return {
        path: [...path, key],
        key,
        message: `unknown key; allowed here: ${Object.keys(parent?.properties ?? {}).join(', ')}`,
      }
    }
    case 'required':
      return { path, message: `the key "${error.params['missingProperty']}" is missing` }
    case 'enum':
      return {
        path,
        message: `is ${present(error.data)}; allowed: ${(error.params['allowedValues'] as unknown[]).map(present).join(', ')}`,
      }
    case 'const':
      return { path, message: `is ${present(error.data)}; allowed: ${present(error.params['allowedValue'])}` }
    case 'type':
      return { path, message: `is ${present(error.data)}; it has to be of type ${error.params['type']}` }
    case 'pattern':
      return { path, message: `is ${present(error.data)}; it has to match ${error.params['pattern']}` }
    case 'anyOf':
      return { path, message: `is ${present(error.data)}; allowed: ${parent?.description ?? 'another form'}` }
    default:
      return { path, message: `is ${present(error.data)}; it ${error.message ?? 'is not allowed'}` }
  }
}

/**
 * The mistakes that the last call of `validate` found. A value that fits no branch of a union is one mistake.
 * @param prefix where the checked value stands in the file
 */
export const mistakesOf = (validate: ValidateFunction, prefix: (string | number)[] = []): Mistake[] =>
  (validate.errors ?? [])
    .filter(({ schemaPath }) => !/\/anyOf\/\d/.test(schemaPath))
    .map((error) => toMistake(error, prefix))
