/** Where a value is not what it should be: a JSON pointer, and what it should be. */
export type Mistake = { readonly at: string; readonly message: string }

/**
 * Looks at plain data: null, or the first mistake. Whatever reads a model checks its manifest this way: loading a
 * schema library and compiling a schema took 60 to 130 ms of a command's 200, this takes none.
 */
export type Shape = (value: unknown) => Mistake | null

/** A member that may be left out. */
type OptionalMember = { readonly optional: Shape }

const must = (be: string): Mistake => ({ at: '', message: `must be ${be}` })

const inside = (key: string | number, found: Mistake | null): Mistake | null =>
  found === null ? null : { at: `/${key}${found.at}`, message: found.message }

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const optional = (shape: Shape): OptionalMember => ({ optional: shape })

/** An object with these members, and perhaps others. */
export const object = (members: Readonly<Record<string, Shape | OptionalMember>>): Shape => {
  const entries = Object.entries(members).map(([name, member]) =>
    typeof member === 'function'
      ? { name, shape: member, required: true }
      : { name, shape: member.optional, required: false },
  )
  return (value) => {
    if (!isObject(value)) return must('an object')
    for (const { name, shape, required } of entries) {
      const present = Object.hasOwn(value, name) && value[name] !== undefined
      if (!present && required) return { at: `/${name}`, message: 'is missing' }
      const found = present ? inside(name, shape(value[name])) : null
      if (found !== null) return found
    }
    return null
  }
}

/** An object of any names. */
export const record =
  (values: Shape): Shape =>
  (value) => {
    if (!isObject(value)) return must('an object')
    for (const [name, member] of Object.entries(value)) {
      const found = inside(name, values(member))
      if (found !== null) return found
    }
    return null
  }

export const list =
  (items: Shape, limits: { minItems?: number; maxItems?: number; unique?: boolean } = {}): Shape =>
  (value) => {
    const { minItems = 0, maxItems = Number.POSITIVE_INFINITY, unique = false } = limits
    if (!Array.isArray(value)) return must('a list')
    if (value.length < minItems || value.length > maxItems) return must(`a list of ${minItems} to ${maxItems} items`)
    for (let i = 0; i < value.length; i++) {
      const found = inside(i, items(value[i]))
      if (found !== null) return found
    }
    return unique && new Set(value).size < value.length ? must('a list of different items') : null
  }

export const text =
  ({ pattern, what = 'text' }: { pattern?: RegExp; what?: string } = {}): Shape =>
  (value) =>
    typeof value === 'string' && (pattern === undefined || pattern.test(value)) ? null : must(what)

type Range = { minimum?: number; maximum?: number; above?: number }

/** A finite number. */
export const number =
  ({ minimum = -Number.MAX_VALUE, maximum = Number.MAX_VALUE, above = Number.NEGATIVE_INFINITY }: Range = {}): Shape =>
  (value) =>
    typeof value === 'number' && value >= minimum && value <= maximum && value > above
      ? null
      : must(`a number ${above >= minimum ? `above ${above}` : `from ${minimum}`} to ${maximum}`)

/** A whole number. */
export const whole = (range: Range = {}): Shape => {
  const inRange = number(range)
  return (value) => (Number.isInteger(value) ? inRange(value) : must('a whole number'))
}

export const flag = (): Shape => (value) => (typeof value === 'boolean' ? null : must('true or false'))

export const nothing = (): Shape => (value) => (value === null ? null : must('null'))

export const literal =
  (expected: string | number): Shape =>
  (value) =>
    value === expected ? null : must(JSON.stringify(expected))

/** One of several shapes; the mistake is that of the one that fits furthest. */
export const oneOf =
  (...shapes: readonly Shape[]): Shape =>
  (value) => {
    let furthest: Mistake | null = null
    for (const shape of shapes) {
      const found = shape(value)
      if (found === null) return null
      if (furthest === null || found.at.length > furthest.at.length) furthest = found
    }
    return furthest
  }
