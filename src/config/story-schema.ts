import { Type } from 'typebox'
import { strict } from './schema-parts.ts'

/** What `driftline start` plays. */
export const StorySchema = Type.Object(
  {
    eventsPerSecond: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      default: 400,
      description: 'How fast the story produces.',
    }),
    normalEvents: Type.Integer({
      minimum: 100,
      default: 2000,
      description: 'Events before the shift.',
    }),
    recoveryEvents: Type.Integer({
      minimum: 100,
      default: 1500,
      description: 'Events after the new model took over.',
    }),
    maxEvents: Type.Integer({
      minimum: 100,
      default: 60_000,
      description: 'The story fails when it is not over by then.',
    }),
    badEvents: Type.Integer({
      minimum: 0,
      default: 4,
      description: 'Records that cannot be scored, spread over the normal events.',
    }),
    labelDelayMs: Type.Integer({
      minimum: 0,
      default: 1000,
      description: 'How long after an event its label is known.',
    }),
    jitterSd: Type.Number({
      minimum: 0,
      default: 0.05,
      description: 'Noise added to each number, in its standard deviations.',
    }),
    shift: Type.Record(Type.String(), Type.Number(), {
      description: 'What the recalibrated instrument adds, by feature, in the unit of the feature.',
    }),
    accuracyTolerance: Type.Number({
      minimum: 0,
      maximum: 1,
      default: 0.03,
      description: 'How far below the accuracy (of numbers R2) before the shift that after the swap may stay.',
    }),
  },
  strict,
)
