import { Ajv } from 'ajv'
import type { FastifyInstance } from 'fastify'
import { AppError } from '../errors.ts'
import type { HistoryPage } from '../history/history-types.ts'
import { withDeadline } from './deadline.ts'
import { errorResponse, type Fault, invalidRequest, unavailable } from './error-reply.ts'
import type { IngressDeps, IngressLimits, ModelNames } from './ingress-types.ts'

type HistoryDeps = Pick<IngressDeps, 'history' | 'namesOf'> & { readonly limits: IngressLimits }

const querySchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    limit: { type: 'integer', minimum: 1, maximum: 1000, default: 50, description: 'Predictions on a page' },
    before: { type: 'string', minLength: 1, maxLength: 200, description: 'The `next` of the page before' },
    event_id: { type: 'string', minLength: 1, maxLength: 1000, description: 'Only the predictions of this event' },
  },
} as const

type Query = { limit: number; before?: string; event_id?: string }

/** A query string holds text only, so here, and only here, text may stand for a number. */
const createQueryCheck = () => {
  const validate = new Ajv({ allErrors: true, coerceTypes: true, useDefaults: true }).compile<Query>(querySchema)
  return (query: unknown): { value: Query } | { error: Error } => {
    if (validate(query)) return { value: query }
    const faults = (validate.errors ?? []).slice(0, 20).map((error): Fault => {
      const unknown: unknown = error.params['additionalProperty']
      const message = unknown === undefined ? (error.message ?? 'is not valid') : 'is no parameter of this route'
      return { code: 'BAD_PARAMETER', field: String(unknown ?? error.instancePath.slice(1)).slice(0, 64), message }
    })
    return { error: invalidRequest(faults) }
  }
}

const byName = <V>(names: readonly string[], values: readonly V[]): Record<string, V> | null =>
  names.length === values.length ? Object.fromEntries(names.map((name, i) => [name, values[i]!])) : null

type Row = HistoryPage['predictions'][number]

/**
 * One prediction for people: names beside the numbers, times as text.
 * @param names those of the model that made it; without them the values stay unnamed: wrong names would be worse
 */
const describeRow = (row: Row, names: ModelNames | null) => ({
  prediction_id: row.prediction_id,
  event_id: row.event_id,
  prediction: row.value ?? row.prediction,
  confidence: row.confidence,
  prediction_proba: names === null || row.class_index === null ? null : byName(names.classes, row.probabilities),
  label: row.label !== null && row.value !== null ? Number(row.label) : row.label,
  features: names === null ? null : byName(names.features, row.features),
  model_version: row.model_version,
  model_role: row.model_role,
  source: row.source_offset === null ? 'http' : 'stream',
  event_time: new Date(row.event_time).toISOString(),
  timestamp: new Date(row.scored_at).toISOString(),
})

/** `GET /predictions/history`: what was predicted, newest first, by page. */
export const historyRoute =
  (deps: HistoryDeps) =>
  async (app: FastifyInstance): Promise<void> => {
    const { history, namesOf, limits } = deps
    const checkQuery = createQueryCheck()

    /** The names of the versions; none where the store does not answer: the page is worth more than they are. */
    const namesIn = async (rows: readonly Row[]): Promise<ReadonlyMap<string, ModelNames | null>> => {
      const versions = [...new Set(rows.map((row) => row.model_version))]
      const names = await Promise.all(versions.map((version) => namesOf(version).catch(() => null)))
      return new Map(versions.map((version, i) => [version, names[i] ?? null]))
    }

    const readPage = async (query: Parameters<HistoryDeps['history']['predictions']>[0]) => {
      const { predictions, next } = await history.predictions(query)
      const names = await namesIn(predictions)
      return { predictions: predictions.map((row) => describeRow(row, names.get(row.model_version) ?? null)), next }
    }

    app.get<{ Querystring: Query }>(
      '/predictions/history',
      {
        schema: {
          operationId: 'predictionHistory',
          tags: ['predictions'],
          summary: 'Predictions that were recorded, newest first',
          description: 'From the stream and from this API, with the label where it is known. Kept across restarts.',
          querystring: querySchema,
          response: {
            200: {
              description: 'A page',
              type: 'object',
              required: ['predictions', 'next'],
              properties: {
                predictions: { type: 'array', items: { type: 'object', additionalProperties: true } },
                next: { type: ['string', 'null'], description: 'Pass as `before` for the next page; null at the end' },
              },
            },
            400: errorResponse('A parameter is not valid'),
            503: errorResponse('The history does not answer'),
          },
        },
        validatorCompiler: () => checkQuery,
      },
      async (request) => {
        const { limit, before, event_id: eventId } = request.query
        const page = readPage({
          limit,
          ...(before === undefined ? {} : { before }),
          ...(eventId === undefined ? {} : { eventId }),
        })
        try {
          return await withDeadline(page, limits.storeTimeoutMs, 'the history')
        } catch (error) {
          if (error instanceof AppError && error.code === 'HISTORY_CURSOR_INVALID') {
            throw invalidRequest([{ code: 'BAD_PARAMETER', field: 'before', message: error.message }], error.message)
          }
          throw unavailable('HISTORY_UNAVAILABLE', 'the history does not answer', 5, error)
        }
      },
    )
  }
