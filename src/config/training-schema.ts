import { Type } from 'typebox'
import { CandidateSchema } from './candidate-schema.ts'
import { strict } from './schema-parts.ts'

export const TrainingSchema = Type.Object(
  {
    folds: Type.Integer({
      minimum: 2,
      maximum: 20,
      default: 5,
      description: 'Folds of the cross-validation that chooses among the candidates.',
    }),
    repeats: Type.Integer({
      minimum: 1,
      maximum: 20,
      default: 1,
      description: 'How often the cross-validation is done, each time with other folds.',
    }),
    selection: Type.Enum(['best', 'one_standard_error'], {
      default: 'best',
      description:
        'Which candidate becomes the model: best is the one with the best mean score; one_standard_error the smallest of those that come within one standard error of it.',
    }),
    nested: Type.Boolean({
      default: false,
      description:
        'Whether the whole choice is done again within outer folds, for an honest figure of what choosing gives. Takes folds times as long.',
    }),
    timeLimitSeconds: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 604_800,
        description: 'A candidate whose fits take longer, all together, is left out.',
      }),
    ),
    memoryLimitMb: Type.Optional(
      Type.Integer({
        minimum: 128,
        description:
          'A candidate whose fit would take more memory by a rough estimate, in MiB, is left out; its thread gets no more either.',
      }),
    ),
    candidates: Type.Array(CandidateSchema, {
      minItems: 1,
      description: 'What is trained; one of them becomes the model.',
    }),
    referenceRows: Type.Integer({
      minimum: 20,
      maximum: 100_000,
      default: 1000,
      description: 'Rows of the training sample kept with the model as the reference of drift tests.',
    }),
  },
  strict,
)
