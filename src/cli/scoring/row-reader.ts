import { categoryCode } from '../../features/category-code.ts'
import { isMissingNumber } from '../csv/missing-number.ts'
import { parseDecimal } from '../csv/parse-decimal.ts'
import { fieldText, QUOTING, type RecordFields } from '../csv/record-fields.ts'

const MAX_SHOWN_CHARACTERS = 40

/** A feature of the model and where the file has it. */
export type FeatureColumn = {
  readonly name: string
  /** Place in the record. */
  readonly column: number
  /** None for a number. */
  readonly categories: readonly string[]
}

/**
 * Reads the features of one record.
 * @param out written from `at` on, in the order of the features; NaN where missing, a category by its code
 * @returns null, or what is wrong: which column, what it holds, what is allowed
 */
export type RowReader = (bytes: Uint8Array, fields: RecordFields, out: Float64Array, at: number) => string | null

const show = (text: string): string =>
  `'${text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}...` : text}'`

/**
 * @param columns of the header; a record with another number of fields is a fault
 * @param onUnknownCategory called for each value that the model does not know; it is scored
 */
export const createRowReader = (options: {
  features: readonly FeatureColumn[]
  columns: number
  onUnknownCategory: () => void
}): RowReader => {
  const { features, columns, onUnknownCategory } = options
  const places = Int32Array.from(features, ({ column }) => column)
  const isCategory = Uint8Array.from(features, ({ categories }) => (categories.length > 0 ? 1 : 0))

  const readCategory = (bytes: Uint8Array, fields: RecordFields, feature: FeatureColumn): number => {
    const code = categoryCode(feature.categories, fieldText(bytes, fields, feature.column))
    if (code === feature.categories.length) onUnknownCategory()
    return code
  }

  /** What a field that is no decimal number is: missing, or a fault. */
  const readOdd = (bytes: Uint8Array, fields: RecordFields, feature: FeatureColumn): string | null => {
    const { column, name } = feature
    const text = fieldText(bytes, fields, column)
    if (fields.quoting[column] === QUOTING.none && isMissingNumber(text)) return null
    return `column '${name}' is ${show(text)}; a finite decimal number is needed, or nothing`
  }

  return (bytes, fields, out, at) => {
    if (fields.fault !== null) return fields.fault
    if (fields.count !== columns) return `it has ${fields.count} fields, and the header ${columns}`
    const { starts, ends } = fields
    for (let i = 0; i < places.length; i++) {
      const column = places[i]!
      const from = starts[column]!
      const to = ends[column]!
      if (from === to) {
        out[at + i] = Number.NaN
      } else if (isCategory[i] === 1) {
        out[at + i] = readCategory(bytes, fields, features[i]!)
      } else {
        const value = parseDecimal(bytes, from, to)
        out[at + i] = value
        if (Number.isNaN(value)) {
          const fault = readOdd(bytes, fields, features[i]!)
          if (fault !== null) return fault
        }
      }
    }
    return null
  }
}
