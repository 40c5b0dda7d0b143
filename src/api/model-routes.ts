import type { FastifyInstance } from 'fastify'
import type { ActiveModel, RefreshResult } from '../registry/registry-types.ts'
import { withDeadline } from './deadline.ts'
import { errorResponse, unavailable } from './error-reply.ts'
import type { IngressDeps, IngressLimits } from './ingress-types.ts'
import { noModel } from './predict-route.ts'

type ModelDeps = Pick<IngressDeps, 'task' | 'currentModel' | 'refreshModel' | 'history'> & {
  readonly limits: IngressLimits
}

/** How the model did on labels that arrived since it serves; null where the history does not know or does not answer. */
type LiveFigures =
  | { labelled: number; accuracy: number | null }
  | { labelled: number; r2: number | null; rmse: number | null }
  | null

const describeModel = (model: ActiveModel, live: LiveFigures) => {
  const { manifest } = model
  const { metrics } = manifest
  return {
    name: manifest.name,
    version: model.version,
    role: 'champion',
    epoch: model.epoch,
    loaded_at: new Date(model.loadedAt).toISOString(),
    family: manifest.family,
    engine: manifest.engine,
    parameters: manifest.parameters,
    kind: manifest.kind,
    features: manifest.features,
    classes: manifest.classes,
    metrics: {
      cv: metrics.cv,
      train: metrics.train,
      test: metrics.test,
    },
    live,
    data: manifest.data,
    seed: manifest.seed,
    parent: manifest.parent,
    reason: manifest.reason,
  }
}

/** `GET /model/info` and `POST /reload`. */
export const modelRoutes =
  (deps: ModelDeps) =>
  async (app: FastifyInstance): Promise<void> => {
    const { currentModel, refreshModel, history, task, limits } = deps
    let refreshing: Promise<RefreshResult> | undefined

    const liveFiguresOf = async (version: string): Promise<LiveFigures> => {
      const window = task.accuracy.windowEvents
      if (task.target.type === 'regression') {
        const errors = await history.liveErrors({ window })
        const own = errors.by_version.find((entry) => entry.model_version === version)
        return own === undefined
          ? { labelled: 0, r2: null, rmse: null }
          : { labelled: own.labelled, r2: own.r2, rmse: own.rmse }
      }
      const accuracy = await history.liveAccuracy({ window })
      const own = accuracy.by_version.find((entry) => entry.model_version === version)
      return own === undefined ? { labelled: 0, accuracy: null } : { labelled: own.labelled, accuracy: own.accuracy }
    }

    app.get(
      '/model/info',
      {
        schema: {
          operationId: 'modelInfo',
          tags: ['model'],
          summary: 'The model that answers',
          response: {
            200: { description: 'What the model is and how it did', type: 'object', additionalProperties: true },
            503: errorResponse('No model serves'),
          },
        },
      },
      async (request) => {
        const model = currentModel()
        if (model === null) throw noModel()
        const live = await withDeadline(liveFiguresOf(model.version), limits.probeTimeoutMs, 'the history').catch(
          (error: unknown) => {
            request.log.warn({ err: error }, 'the live figures are not known')
            return null
          },
        )
        return describeModel(model, live)
      },
    )

    app.post(
      '/reload',
      {
        schema: {
          operationId: 'reload',
          tags: ['model'],
          summary: 'Read the aliases again and serve what production names',
          description: 'The status says what came of it; with `rejected` the model from before serves on.',
          response: {
            200: {
              description: 'What came of it',
              type: 'object',
              required: ['status', 'version'],
              properties: {
                status: { type: 'string', enum: ['unchanged', 'swapped', 'rejected'] },
                version: { type: ['string', 'null'], description: 'Serving, or with `rejected` the one refused' },
              },
              additionalProperties: true,
            },
            503: errorResponse('The aliases cannot be read'),
          },
        },
      },
      async (): Promise<RefreshResult> => {
        // Many calls at once are one reading.
        refreshing ??= refreshModel('POST /reload').finally(() => {
          refreshing = undefined
        })
        try {
          return await withDeadline(refreshing, limits.storeTimeoutMs, 'the artefact store')
        } catch (error) {
          throw unavailable(
            'RELOAD_FAILED',
            'the aliases could not be read, so the model from before serves on',
            5,
            error,
          )
        }
      },
    )
  }
