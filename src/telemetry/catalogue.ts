import { collectDefaultMetrics, Registry } from 'prom-client'
import { type Definitions, loadSeconds, type MetricDefinition } from './metric-definition.ts'
import {
  driftDefinitions,
  modelDefinitions,
  recordingDefinitions,
  retrainingDefinitions,
  shadowDefinitions,
} from './roles-catalogue.ts'
import { consumerDefinitions, lagDefinitions, scoringDefinitions } from './stream-catalogue.ts'

/** The label `class` of predicted numbers: one series for all of them. */
export const numberClass = 'number'

/** What the ingress counts; the name of the task is the prefix. */
export const apiDefinitions = (task: string) =>
  ({
    requests: {
      name: `${task}_api_requests_total`,
      type: 'counter',
      labels: ['method', 'endpoint', 'status'],
      help: 'HTTP requests, by method, route pattern and status code; 499 where the client did not wait for the reply',
    },
    requestSeconds: {
      name: `${task}_api_request_duration_seconds`,
      type: 'histogram',
      labels: ['method', 'endpoint'],
      help: 'Time from the arrival of an HTTP request to the end of its reply, by method and route pattern',
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    },
    predictions: {
      name: `${task}_predictions_total`,
      type: 'counter',
      labels: ['class'],
      help: 'Predictions answered over HTTP, by predicted class (number where a number is predicted)',
    },
    confidence: {
      name: `${task}_prediction_confidence`,
      type: 'histogram',
      labels: [],
      help: 'Probability of the predicted class, over HTTP',
      buckets: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1],
    },
    modelLoaded: {
      name: `${task}_model_loaded`,
      type: 'gauge',
      labels: [],
      help: '1 while the ingress holds a model, 0 while it does not',
    },
    modelLoadSeconds: {
      name: `${task}_model_load_duration_seconds`,
      type: 'histogram',
      labels: [],
      help: 'Time to read, verify and warm a model before the ingress serves it',
      buckets: loadSeconds,
    },
    health: {
      name: `${task}_api_health`,
      type: 'gauge',
      labels: [],
      help: '1 while the ingress can answer predictions, 0 while it cannot',
    },
    activeRequests: {
      name: `${task}_api_active_requests`,
      type: 'gauge',
      labels: [],
      help: 'HTTP requests that are being answered',
    },
  }) as const satisfies Definitions

/** The metrics of the process itself (memory, CPU, event loop, garbage collection) as this platform gives them. */
const processDefinitions = (): MetricDefinition[] => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  // prom-client's types leave out `labelNames` and give the kind as a number that it never is.
  const metrics = registry.getMetricsAsArray() as unknown as readonly (Omit<
    MetricDefinition,
    'labels' | 'taskLabel'
  > & {
    labelNames: readonly string[]
  })[]
  return metrics.map(({ name, help, type, labelNames }) => ({ name, help, type, labels: labelNames, taskLabel: true }))
}

/** Every metric that the processes of a task expose. Dashboards and alerts are tested against this list. */
export const metricNames = (task: string): MetricDefinition[] => [
  ...[
    scoringDefinitions,
    consumerDefinitions,
    lagDefinitions,
    modelDefinitions,
    recordingDefinitions,
    driftDefinitions,
    shadowDefinitions,
    retrainingDefinitions,
  ].flatMap((group) =>
    Object.values<Omit<MetricDefinition, 'taskLabel'>>(group).map((d) => ({ ...d, taskLabel: true })),
  ),
  ...Object.values<Omit<MetricDefinition, 'taskLabel'>>(apiDefinitions(task)).map((d) => ({ ...d, taskLabel: false })),
  ...processDefinitions(),
]
