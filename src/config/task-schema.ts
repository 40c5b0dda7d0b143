import { type Static, Type } from 'typebox'
import type { CandidateInput } from './candidate-schema.ts'
import { type FeatureConfig, FeatureSchema, type TargetConfig, TargetSchema } from './input-schema.ts'
import { KafkaSchema } from './kafka-schema.ts'
import { strict } from './schema-parts.ts'
import { StorySchema } from './story-schema.ts'
import { TrainingSchema } from './training-schema.ts'

export const TaskSchema = Type.Object(
  {
    task: Type.String({
      pattern: '^[a-z][a-z0-9_]*$',
      description: 'The name of the task: the prefix of its topics and of its HTTP metrics.',
    }),
    description: Type.Optional(Type.String({ description: 'A sentence for people.' })),
    features: Type.Array(FeatureSchema, { minItems: 1, description: 'The inputs of the model, in its order.' }),
    target: TargetSchema,
    dataset: Type.Object(
      {
        path: Type.String({ minLength: 1, description: 'A CSV file with a header, relative to this file.' }),
        testFraction: Type.Number({
          exclusiveMinimum: 0,
          exclusiveMaximum: 1,
          default: 0.2,
          description: 'Share of the rows that is held out of training, stratified by class where there are classes.',
        }),
      },
      strict,
    ),
    seed: Type.Integer({
      minimum: 0,
      maximum: 2 ** 32 - 1,
      default: 42,
      description: 'Every random choice follows from it: the same data and seed give the same model.',
    }),
    training: TrainingSchema,
    stream: Type.Object(
      {
        partitions: Type.Integer({
          minimum: 1,
          maximum: 1024,
          default: 4,
          description: 'Partitions of the topics when they are created: the most workers that can share the work.',
        }),
        replicationFactor: Type.Integer({
          minimum: 1,
          maximum: 9,
          default: 1,
          description: 'Copies of each topic when it is created; 3 in production.',
        }),
        batchMaxRecords: Type.Integer({
          minimum: 1,
          maximum: 100_000,
          default: 2000,
          description: 'Most events in one batch, which is one transaction.',
        }),
        batchGoalMs: Type.Integer({
          minimum: 1,
          maximum: 60_000,
          default: 50,
          description:
            'What a worker may take to decode, score and encode one batch: the number of its events adapts to it, up to batchMaxRecords.',
        }),
        maxEventBytes: Type.Integer({
          minimum: 64,
          maximum: 1_000_000,
          default: 262_144,
          description: 'A larger event goes to the dead letters unread.',
        }),
        sessionTimeoutMs: Type.Integer({
          minimum: 6000,
          maximum: 300_000,
          default: 10_000,
          description: 'How long a silent worker keeps its partitions.',
        }),
        transactionTimeoutMs: Type.Integer({
          minimum: 1000,
          maximum: 300_000,
          default: 8000,
          description: 'How long a transaction may stay open; below sessionTimeoutMs.',
        }),
      },
      { ...strict, default: {} },
    ),
    kafka: KafkaSchema,
    drift: Type.Object(
      {
        windowRows: Type.Integer({
          minimum: 20,
          maximum: 1_000_000,
          default: 200,
          description: 'Events in one window that is compared with the reference.',
        }),
        consecutiveWindows: Type.Integer({
          minimum: 1,
          maximum: 100,
          default: 2,
          description: 'Windows in a row that have to differ before there is an alarm.',
        }),
        alpha: Type.Number({
          exclusiveMinimum: 0,
          exclusiveMaximum: 1,
          default: 0.01,
          description: 'An adjusted p-value below it counts as a difference.',
        }),
        correction: Type.Enum(['benjamini-hochberg', 'bonferroni', 'none'], {
          default: 'benjamini-hochberg',
          description: 'How the p-values are adjusted for the number of features.',
        }),
        minStatistic: Type.Number({
          minimum: 0,
          maximum: 1,
          default: 0.2,
          description:
            'Floor of the effect: a smaller shift is no drift, however sure. Of numbers the Kolmogorov-Smirnov statistic D, of categories the share of events that changed category, of missing values the change of their share.',
        }),
        coolDownMs: Type.Integer({
          minimum: 0,
          default: 60_000,
          description: 'How long after an alarm no other one is raised.',
        }),
      },
      { ...strict, default: {} },
    ),
    accuracy: Type.Object(
      {
        windowEvents: Type.Integer({
          minimum: 10,
          maximum: 1_000_000,
          default: 500,
          description: 'Labelled events that the live accuracy is counted over, the latest ones.',
        }),
      },
      { ...strict, default: {} },
    ),
    retraining: Type.Object(
      {
        recentLabels: Type.Integer({
          minimum: 10,
          maximum: 100_000,
          default: 500,
          description: 'Most labelled events that a retraining takes, the latest ones.',
        }),
        minLabels: Type.Integer({
          minimum: 10,
          maximum: 100_000,
          default: 300,
          description: 'Fewest labelled events that a retraining needs.',
        }),
        holdoutFraction: Type.Number({
          exclusiveMinimum: 0,
          exclusiveMaximum: 1,
          default: 0.3,
          description:
            'Share of the recent labelled events on which the new model is compared with production; neither was trained on them.',
        }),
        labelWaitMs: Type.Integer({
          minimum: 0,
          default: 120_000,
          description: 'How long a job waits for labels that are younger than the drift before it gives up.',
        }),
        pollMs: Type.Integer({ minimum: 50, default: 1000, description: 'How often a waiting job counts the labels.' }),
      },
      { ...strict, default: {} },
    ),
    promotion: Type.Object(
      {
        metric: Type.Optional(
          Type.Enum(['accuracy', 'macro_f1', 'r2', 'rmse'], {
            description:
              'What the new model and production are compared by: accuracy or macro_f1 of classes, r2 or rmse of numbers. Without it accuracy or r2.',
          }),
        ),
        minImprovement: Type.Number({
          minimum: 0,
          maximum: 1,
          default: 0.02,
          description:
            "How much better than production a candidate has to be: a difference of the metric, and of rmse a share of production's.",
        }),
        alpha: Type.Number({
          exclusiveMinimum: 0,
          maximum: 1,
          default: 0.05,
          description:
            'The difference has to be this sure as well: the p-value of the paired test on the same rows is below it. 1 asks for no test.',
        }),
      },
      { ...strict, default: {} },
    ),
    story: Type.Optional(StorySchema),
  },
  { ...strict, title: 'Driftline task' },
)

/** A task as the file has it, with its defaults: its keys need not go together yet. */
export type TaskInput = Static<typeof TaskSchema>

/** What the new model and production are compared by. */
export type PromotionMetric = NonNullable<TaskInput['promotion']['metric']>

/** A task that makes sense, with its defaults filled in. */
export type TaskConfig = Omit<TaskInput, 'features' | 'target' | 'promotion'> & {
  features: FeatureConfig[]
  target: TargetConfig
  promotion: Omit<TaskInput['promotion'], 'metric'> & { metric: PromotionMetric }
}
export type { FeatureConfig, TargetConfig } from './input-schema.ts'
export type CandidateConfig = CandidateInput
export type StoryConfig = Static<typeof StorySchema>
