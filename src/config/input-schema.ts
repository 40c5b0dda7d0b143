import { type Static, Type } from 'typebox'
import { Name, strict } from './schema-parts.ts'

/** The name of a class or category: blanks around a field of the dataset are not part of it, so none can be here. */
const ValueName = Type.String({ pattern: '^\\S([\\s\\S]*\\S)?$' })

/** A feature as the file has it: which of the keys belong to which type is checked apart, and named with its line. */
export const FeatureSchema = Type.Object(
  {
    name: Name('The column of the dataset and the field of the feature event.'),
    type: Type.Enum(['double', 'category'], {
      default: 'double',
      description: 'A number, or one of several names.',
    }),
    unit: Type.Optional(Type.String({ description: 'Of a number, for people: cm, ms, EUR.' })),
    range: Type.Optional(
      Type.Tuple([Type.Number(), Type.Number()], {
        description: 'Least and greatest number that can be true; an event outside is refused.',
      }),
    ),
    categories: Type.Optional(
      Type.Array(ValueName, {
        minItems: 1,
        maxItems: 255,
        uniqueItems: true,
        description: 'The names that a category has in the dataset; an event with another name is scored and counted.',
      }),
    ),
    nullable: Type.Boolean({ default: false, description: 'Whether the value may be missing.' }),
  },
  strict,
)

/** The target as the file has it; see `FeatureSchema`. */
export const TargetSchema = Type.Object(
  {
    name: Name('The column of the dataset that holds the class or the number.'),
    type: Type.Enum(['classification', 'regression'], {
      default: 'classification',
      description: 'Whether one of several classes or a number is predicted.',
    }),
    classes: Type.Optional(
      Type.Array(ValueName, {
        minItems: 2,
        uniqueItems: true,
        description: 'Of a classification: the classes, in the order of the probabilities.',
      }),
    ),
    unit: Type.Optional(Type.String({ description: 'Of a regression, for people.' })),
  },
  strict,
)

export type FeatureInput = Static<typeof FeatureSchema>
export type TargetInput = Static<typeof TargetSchema>

type AnyFeature = { name: string; nullable: boolean }

/** A feature of a task that makes sense: a number, or a category with its names. */
export type FeatureConfig =
  | (AnyFeature & { type: 'double'; unit?: string; range?: [number, number] })
  | (AnyFeature & { type: 'category'; categories: string[] })

/** The target of a task that makes sense: one of several classes, or a number. */
export type TargetConfig =
  | { name: string; type: 'classification'; classes: string[] }
  | { name: string; type: 'regression'; unit?: string }
