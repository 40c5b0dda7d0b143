import type { FeatureConfig, TargetConfig, TaskConfig } from '../config/task-schema.ts'

/** What an id of an event may look like: it becomes a record key and a part of other ids. */
export const eventIdPattern = '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$'

/**
 * Most characters of a category's name in a request, if the task has no longer one: the record of the prediction holds
 * it, and one that the broker refuses takes the records of other requests with it.
 */
const maxCategoryCharacters = 1000

type FeatureSchema = {
  type: 'number' | 'string' | ['number' | 'string', 'null']
  description?: string
  minimum?: number
  maximum?: number
  maxLength?: number
}

const featureSchema = (feature: FeatureConfig): FeatureSchema => {
  const type = feature.type === 'category' ? 'string' : 'number'
  const nullableType = feature.nullable ? ([type, 'null'] as ['number' | 'string', 'null']) : type
  if (feature.type === 'category') {
    const { categories } = feature
    // No enum: a name that the task does not know yet is scored as well.
    return {
      type: nullableType,
      description: `a category: ${categories.join(', ')}; others are scored too`,
      maxLength: Math.max(maxCategoryCharacters, ...categories.map((name) => name.length)),
    }
  }
  const { unit, range } = feature
  return {
    type: nullableType,
    ...(unit === undefined ? {} : { description: `in ${unit}` }),
    ...(range === undefined ? {} : { minimum: range[0], maximum: range[1] }),
  }
}

/** A value that the feature can have, for examples in the documents. */
const exampleOf = (feature: FeatureConfig): number | string => {
  if (feature.type === 'category') return feature.categories[0] ?? ''
  const [least, greatest] = feature.range ?? [0, 2]
  return Number(((least + greatest) / 2).toPrecision(3))
}

/** JSON Schema of one instance to score: the task's features by name, and an event id if the caller has one. */
export const instanceSchemaOf = (task: Pick<TaskConfig, 'features'>) => ({
  $id: 'Instance',
  type: 'object' as const,
  additionalProperties: false as const,
  required: task.features.filter((feature) => !feature.nullable).map((feature) => feature.name),
  properties: {
    ...Object.fromEntries(task.features.map((feature) => [feature.name, featureSchema(feature)])),
    event_id: {
      type: 'string' as const,
      pattern: eventIdPattern,
      description:
        'Names the event, so that a label can refer to it and a repeated request replaces its own prediction; made up if missing',
    },
  },
  examples: [Object.fromEntries(task.features.map((feature) => [feature.name, exampleOf(feature)]))],
})

export type InstanceSchema = ReturnType<typeof instanceSchemaOf>

const replyFrame = {
  model_used: { type: 'string', description: 'Name of the model' },
  model_version: { type: 'string' },
  timestamp: { type: 'string', format: 'date-time', description: 'When it was scored' },
} as const

const frameKeys = ['model_used', 'model_version', 'timestamp'] as const

/** JSON Schema of the reply to one instance. */
export const predictionReplySchemaOf = (target: TargetConfig) =>
  target.type === 'regression'
    ? {
        $id: 'Prediction',
        type: 'object' as const,
        required: ['event_id', 'prediction', ...frameKeys],
        properties: {
          event_id: { type: 'string' },
          prediction: {
            type: 'number',
            description: target.unit === undefined ? 'The predicted number' : `The predicted number, in ${target.unit}`,
          },
          ...replyFrame,
        },
      }
    : {
        $id: 'Prediction',
        type: 'object' as const,
        required: ['event_id', 'prediction', 'confidence', 'prediction_proba', ...frameKeys],
        properties: {
          event_id: { type: 'string' },
          prediction: {
            type: 'string',
            description: 'Name of the most probable class',
            examples: target.classes.slice(0, 1),
          },
          confidence: { type: 'number', description: 'Its probability, 0 to 1' },
          prediction_proba: {
            type: 'object',
            description: 'Probability by class; the sum is 1',
            additionalProperties: { type: 'number' },
            properties: Object.fromEntries(target.classes.map((name) => [name, { type: 'number' }])),
          },
          ...replyFrame,
        },
      }

/** A reply to one instance: a class with its probabilities, or a number. */
export type PredictionReply = {
  event_id: string
  model_used: string
  model_version: string
  timestamp: string
} & ({ prediction: string; confidence: number; prediction_proba: Record<string, number> } | { prediction: number })
