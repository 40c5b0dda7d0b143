import { Registry } from 'prom-client'
import { apiDefinitions, numberClass } from './catalogue.ts'
import { type Exposition, taskRegistry } from './exposition.ts'
import { instrumentsIn } from './instruments.ts'
import { createModelMetrics, type ModelMetrics } from './model-metrics.ts'

export type ApiMetrics = Exposition & {
  readonly requestStarted: () => void
  /**
   * Ends what `requestStarted` began.
   * @param endpoint the pattern of the route, never the raw path: a raw path makes a series of every typo
   * @param status of the reply; 499 where the client did not wait for it
   */
  readonly requestFinished: (request: { method: string; endpoint: string; status: number; seconds: number }) => void
  /** A predicted number has neither a class nor a confidence; its class is `number` here. */
  readonly predicted: (prediction: { prediction: string; confidence: number | null }) => void
  readonly modelLoaded: (loaded: boolean) => void
  readonly healthy: (healthy: boolean) => void
  /** The swaps of this process, as in the workers, and the load time under the task's own name. */
  readonly model: ModelMetrics
}

/**
 * The metrics of the ingress. Those that begin with the task's name carry no `task` label; the others do.
 * @param task name of the task, `[a-z][a-z0-9_]*`
 */
export const createApiMetrics = (task: string): ApiMetrics => {
  const shared = taskRegistry(task)
  const own = new Registry()
  const make = instrumentsIn(own)
  const definitions = apiDefinitions(task)
  const requests = make.counter(definitions.requests)
  const requestSeconds = make.histogram(definitions.requestSeconds)
  const predictions = make.counter(definitions.predictions)
  const confidences = make.histogram(definitions.confidence)
  const modelLoaded = make.gauge(definitions.modelLoaded)
  const modelLoadSeconds = make.histogram(definitions.modelLoadSeconds)
  const health = make.gauge(definitions.health)
  const active = make.gauge(definitions.activeRequests)
  const model = createModelMetrics(instrumentsIn(shared))
  return {
    contentType: own.contentType,
    text: async () => `${await own.metrics()}\n${await shared.metrics()}`,
    requestStarted: () => active.inc(),
    requestFinished: ({ method, endpoint, status, seconds }) => {
      active.dec()
      requests.inc({ method, endpoint, status })
      requestSeconds.observe({ method, endpoint }, seconds)
    },
    predicted: ({ prediction, confidence }) => {
      predictions.inc({ class: confidence === null ? numberClass : prediction })
      if (confidence !== null) confidences.observe(confidence)
    },
    modelLoaded: (loaded) => modelLoaded.set(loaded ? 1 : 0),
    healthy: (healthy) => health.set(healthy ? 1 : 0),
    model: {
      swapped: (swap) => {
        model.swapped(swap)
        modelLoaded.set(1)
        modelLoadSeconds.observe(swap.loadSeconds)
      },
      rejected: model.rejected,
    },
  }
}
