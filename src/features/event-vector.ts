import { categoryCode } from './category-code.ts'
import type { FeatureSpec, NumberFeature } from './feature-spec.ts'

export type VectorFaultCode =
  | 'FEATURE_MISSING'
  | 'FEATURE_NOT_A_NUMBER'
  | 'FEATURE_NOT_FINITE'
  | 'FEATURE_OUT_OF_RANGE'
  | 'FEATURE_NOT_TEXT'

/** Why an event cannot be scored: the code of its dead letter, the feature, and a sentence for people. */
export type VectorFault = { readonly code: VectorFaultCode; readonly feature: string; readonly message: string }

const MAX_SHOWN_CHARACTERS = 60

const show = (value: unknown): string => {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}...` : text
}

const kindOf = (value: unknown): string => {
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `${typeof value} ${show(value)}`
}

const fault = (code: VectorFaultCode, feature: string, message: string): VectorFault => ({ code, feature, message })

// A feature may be called `constructor`: what an object inherits is no value of the event.
const isMissing = (event: Readonly<Record<string, unknown>>, name: string): boolean =>
  event[name] === null || event[name] === undefined || !Object.hasOwn(event, name)

/** What is wrong with a value that is there, or null. */
const faultOfNumber = (value: unknown, { name, range }: NumberFeature): VectorFault | null => {
  if (typeof value !== 'number') {
    return fault('FEATURE_NOT_A_NUMBER', name, `${name} must be a number, and is ${kindOf(value)}`)
  }
  if (!Number.isFinite(value)) {
    return fault('FEATURE_NOT_FINITE', name, `${name} must be a finite number, and is ${value}`)
  }
  if (range !== undefined && (value < range[0] || value > range[1])) {
    return fault('FEATURE_OUT_OF_RANGE', name, `${name} must be from ${range[0]} to ${range[1]}, and is ${value}`)
  }
  return null
}

/**
 * Reads the features of one event into `out[at]`, `out[at + 1]`, ... in the order of `features`.
 * A missing value (absent or null) of a nullable feature becomes NaN. A category becomes its code; a name that is not
 * among the feature's categories is no fault, its code is their number. Nothing is converted: the text "5.1" is no
 * number, nor is `true`, and 5 is no category. Allocates nothing while the event is fine.
 * @returns null, or the first fault; after a fault the values in `out` mean nothing
 */
export const readEventVector = (
  event: Readonly<Record<string, unknown>>,
  features: readonly FeatureSpec[],
  out: Float64Array,
  at: number,
): VectorFault | null => {
  for (let i = 0; i < features.length; i++) {
    const spec = features[i]!
    const { name } = spec
    const value = event[name]
    const wanted = spec.type === 'category' ? 'string' : 'number'
    if (typeof value !== wanted && isMissing(event, name)) {
      if (!spec.nullable) return fault('FEATURE_MISSING', name, `${name} is missing, and it may not be`)
      out[at + i] = Number.NaN
    } else if (spec.type === 'category') {
      if (typeof value !== 'string') {
        return fault('FEATURE_NOT_TEXT', name, `${name} must be text, and is ${kindOf(value)}`)
      }
      out[at + i] = categoryCode(spec.categories, value)
    } else {
      const found = faultOfNumber(value, spec)
      if (found !== null) return found
      out[at + i] = value as number
    }
  }
  return null
}
