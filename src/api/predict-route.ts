import type { FastifyInstance } from 'fastify'
import { AppError } from '../errors.ts'
import type { Prediction } from '../events.ts'
import type { ActiveModel } from '../registry/registry-types.ts'
import { withDeadline } from './deadline.ts'
import { errorResponse, invalidRequest, type RequestRefused, unavailable } from './error-reply.ts'
import type { IngressDeps, IngressLimits } from './ingress-types.ts'
import { instanceSchemaOf, type PredictionReply } from './instance-schema.ts'
import { type CheckedBody, createBodyCheck } from './instance-validation.ts'
import { createInstanceScoring } from './score-instances.ts'

type PredictDeps = Pick<IngressDeps, 'task' | 'currentModel' | 'publish' | 'metrics' | 'now' | 'newId'> & {
  readonly limits: IngressLimits
}

const retrySeconds = { noModel: 5, publish: 2, overloaded: 1 }

export const noModel = (): RequestRefused =>
  unavailable(
    'MODEL_NOT_LOADED',
    'no model serves yet: the alias production names none, or it could not be loaded; see GET /health',
    retrySeconds.noModel,
  )

const toReply = (prediction: Prediction, model: ActiveModel): PredictionReply => {
  const { classNames } = model.scorer
  const about = {
    event_id: prediction.event_id,
    model_used: model.manifest.name,
    model_version: model.version,
    timestamp: new Date(prediction.scored_at).toISOString(),
  }
  if (prediction.value !== null) return { ...about, prediction: prediction.value }
  const proba: Record<string, number> = {}
  for (let c = 0; c < classNames.length; c++) proba[classNames[c]!] = prediction.probabilities[c]!
  return {
    ...about,
    prediction: prediction.prediction,
    confidence: prediction.confidence ?? 0,
    prediction_proba: proba,
  }
}

const publishRefusal = (error: unknown): RequestRefused => {
  if (error instanceof AppError && error.code === 'OVERLOADED') {
    return unavailable('OVERLOADED', 'more predictions wait to be published than may', retrySeconds.overloaded, error)
  }
  return unavailable(
    'PUBLISH_FAILED',
    'the prediction could not be published, so it is not answered; send the request again, with the same event_id',
    retrySeconds.publish,
    error,
  )
}

/** `POST /predict`: one instance or an array of them; answered once the predictions are published. */
export const predictRoute =
  (deps: PredictDeps) =>
  async (app: FastifyInstance): Promise<void> => {
    const { task, currentModel, publish, metrics, limits } = deps
    const checkBody = createBodyCheck(instanceSchemaOf(task), { maxInstances: limits.batchInstances })
    const score = createInstanceScoring({ features: task.features, now: deps.now, newId: deps.newId })

    app.post(
      '/predict',
      {
        bodyLimit: limits.batchBodyBytes,
        schema: {
          operationId: 'predict',
          tags: ['predictions'],
          summary: 'Score one instance, or an array of them',
          description:
            `One object is answered by one prediction, an array of 1 to ${limits.batchInstances} by an array in the same order. ` +
            'Fields are taken as they are: no text for numbers, no numbers for categories, no unknown fields. A reply means that the prediction is ' +
            'published; after a 503 send the request again with the same `event_id`, and the history keeps it once.',
          body: {
            oneOf: [
              { $ref: 'Instance#' },
              { type: 'array', minItems: 1, maxItems: limits.batchInstances, items: { $ref: 'Instance#' } },
            ],
          },
          response: {
            200: {
              description: 'The prediction, or the predictions',
              oneOf: [{ $ref: 'Prediction#' }, { type: 'array', items: { $ref: 'Prediction#' } }],
            },
            400: errorResponse('The body is not valid'),
            413: errorResponse('The body is too large'),
            415: errorResponse('The body is not JSON by its content type'),
            503: errorResponse('No model serves, or the prediction could not be published'),
          },
        },
        // The check below says more than the messages of a schema, and looks at few faults only.
        validatorCompiler: () => (value: unknown) => ({ value }),
      },
      async (request) => {
        const body: CheckedBody = checkBody(request.body)
        if (!body.ok) throw invalidRequest(body.faults)
        const model = currentModel()
        if (model === null) throw noModel()

        const predictions = score(model, body.instances, body.batch)
        const published = Promise.all(predictions.map((prediction) => publish(prediction, prediction.event_id)))
        try {
          await withDeadline(published, limits.publishTimeoutMs, 'the broker')
        } catch (error) {
          throw publishRefusal(error)
        }
        for (const prediction of predictions) metrics.predicted(prediction)
        const replies = predictions.map((prediction) => toReply(prediction, model))
        return body.batch ? replies : replies[0]
      },
    )
  }
