import type { FastifyInstance } from 'fastify'
import { classesOf } from '../features/target-spec.ts'
import { docsRoutes, registerOpenApi } from './docs-routes.ts'
import { errorReplySchema } from './error-reply.ts'
import { healthRoutes, healthSchema } from './health-routes.ts'
import { historyRoute } from './history-route.ts'
import { createHttpServer } from './http-server.ts'
import { defaultLimits, type IngressDeps } from './ingress-types.ts'
import { instanceSchemaOf, predictionReplySchemaOf } from './instance-schema.ts'
import { takeJsonOnly } from './json-body.ts'
import { modelRoutes } from './model-routes.ts'
import { predictRoute } from './predict-route.ts'
import { queueBoard } from './queue-board.ts'
import { countRequests } from './request-metrics.ts'

export { type Dependency, defaultLimits, type IngressDeps, type IngressLimits } from './ingress-types.ts'

const boardPath = '/queues'

const links = {
  predict: '/predict',
  health: '/health',
  metrics: '/metrics',
  model: '/model/info',
  reload: '/reload',
  history: '/predictions/history',
  docs: '/docs',
  redoc: '/redoc',
  openapi: '/openapi.json',
}

/**
 * The synchronous API of a task, ready to `listen` or to `inject`. `close()` refuses new requests with 503 and waits
 * for those at work; it does not close what was passed in.
 */
export const createIngress = (deps: IngressDeps): FastifyInstance => {
  const limits = { ...defaultLimits, ...deps.limits }
  const { task, version, metrics, queueBoard: board } = deps
  const app = createHttpServer({
    ...(deps.logger === undefined ? {} : { logger: deps.logger }),
    newId: deps.newId,
    bodyLimitBytes: limits.bodyBytes,
    requestTimeoutMs: limits.requestTimeoutMs,
  })
  takeJsonOnly(app, { objectLimitBytes: limits.bodyBytes })
  countRequests(app, metrics)
  const schemas = [errorReplySchema, healthSchema, instanceSchemaOf(task), predictionReplySchemaOf(task.target)]
  for (const schema of schemas) app.addSchema(schema)

  app.register(async (scope) => {
    await registerOpenApi(scope, deps)
    scope.get(
      '/',
      {
        schema: {
          operationId: 'index',
          tags: ['operation'],
          summary: 'What this is and where to go',
          response: { 200: { description: 'Names and links', type: 'object', additionalProperties: true } },
        },
      },
      async () => ({
        name: 'driftline',
        version,
        task: task.task,
        description: task.description ?? null,
        features: task.features.map((feature) => feature.name),
        target: task.target,
        classes: classesOf(task.target),
        links: board === null ? links : { ...links, queues: boardPath },
      }),
    )
    const routeDeps = { ...deps, limits }
    await scope.register(healthRoutes(routeDeps))
    await scope.register(predictRoute(routeDeps))
    await scope.register(modelRoutes(routeDeps))
    await scope.register(historyRoute(routeDeps))
    await scope.register(docsRoutes(deps))
    if (board !== null) {
      const title = `Driftline: ${task.task}`
      await scope.register(queueBoard({ ...board, path: boardPath, title, timeoutMs: limits.storeTimeoutMs }))
    }
  })
  return app
}
