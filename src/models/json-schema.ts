/**
 * JSON Schemas in few words, for what is read wherever a model is: a validator that is slow to load would be a third
 * of the start of a command.
 */
export type JsonSchema = { readonly [keyword: string]: unknown }

/** A member that may be left out. */
type OptionalMember = { readonly optional: JsonSchema }

export const optional = (schema: JsonSchema): OptionalMember => ({ optional: schema })

const isOptional = (member: JsonSchema | OptionalMember): member is OptionalMember => 'optional' in member

/** An object with these members, and perhaps others. */
export const object = (members: Readonly<Record<string, JsonSchema | OptionalMember>>): JsonSchema => {
  const entries = Object.entries(members)
  return {
    type: 'object',
    required: entries.filter(([, member]) => !isOptional(member)).map(([name]) => name),
    properties: Object.fromEntries(
      entries.map(([name, member]) => [name, isOptional(member) ? member.optional : member]),
    ),
  }
}

/** An object of any names. */
export const record = (values: JsonSchema): JsonSchema => ({ type: 'object', additionalProperties: values })

export const list = (items: JsonSchema, limits: JsonSchema = {}): JsonSchema => ({ type: 'array', items, ...limits })

export const text = (limits: JsonSchema = {}): JsonSchema => ({ type: 'string', ...limits })

/** A finite number. */
export const number = (limits: JsonSchema = {}): JsonSchema => ({ type: 'number', ...limits })

export const whole = (limits: JsonSchema = {}): JsonSchema => ({ type: 'integer', ...limits })

export const flag = (): JsonSchema => ({ type: 'boolean' })

export const nothing = (): JsonSchema => ({ type: 'null' })

export const literal = (value: string | number): JsonSchema => ({ const: value })

export const oneOf = (...schemas: readonly JsonSchema[]): JsonSchema => ({ anyOf: schemas })
