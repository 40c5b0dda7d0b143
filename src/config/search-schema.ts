import { type Static, Type } from 'typebox'
import { strict } from './schema-parts.ts'

const RangeSchema = Type.Object(
  {
    from: Type.Number({ description: 'Least value.' }),
    to: Type.Number({ description: 'Greatest value, which can be drawn, too.' }),
    scale: Type.Enum(['linear', 'log'], {
      default: 'linear',
      description: 'Whether differences or ratios are drawn evenly.',
    }),
    integer: Type.Boolean({ default: false, description: 'Whether only whole numbers are drawn.' }),
  },
  strict,
)

const ChoicesSchema = Type.Array(Type.Union([Type.Number(), Type.String(), Type.Boolean()]), { minItems: 1 })

/** Values of parameters to try: a list, or a range of numbers. */
export const SearchSchema = Type.Object(
  {
    method: Type.Enum(['random', 'halving'], {
      default: 'random',
      description:
        'random: every draw is cross-validated on all rows. halving: all draws on a part of the rows, then the best third of them on three times as many, until all rows are used.',
    }),
    trials: Type.Integer({ minimum: 1, maximum: 1000, default: 20, description: 'Draws of the parameters.' }),
    over: Type.Record(Type.String({ pattern: '^.*$' }), Type.Unsafe<SearchRange | SearchChoices>({}), {
      minProperties: 1,
      description:
        'Per parameter a list of values, or {from, to, scale: linear or log, integer}. The other parameters stay as they are.',
    }),
  },
  strict,
)

/** Of one entry of `over`: checked by the form that it has, so that mistakes are named by their own key. */
export const OverSchemas = { range: RangeSchema, choices: ChoicesSchema }

export type SearchRange = Static<typeof RangeSchema>
export type SearchChoices = Static<typeof ChoicesSchema>
