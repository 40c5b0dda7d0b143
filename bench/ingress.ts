/**
 * What an answered prediction costs beside an answered request: POST /predict of the ingress, with a compiled forest
 * and a publisher that does nothing, against a bare Fastify route of the same body and reply. Both run in turn in one
 * process of their own; the load comes from `wrk` over loopback (https://github.com/wg/wrk; must be on the PATH).
 * Prints requests per second and the ratio; exits with 1 where the ratio is below the least that is given.
 *
 *     node bench/ingress.ts [seconds] [rounds] [connections] [least ratio]
 */
import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import Fastify, { type FastifyInstance } from 'fastify'
import { createIngress, type IngressDeps } from '../src/api/ingress.ts'
import { predictionReplySchemaOf } from '../src/api/instance-schema.ts'
import type { TargetConfig } from '../src/config/task-schema.ts'
import { createRandom } from '../src/features/random.ts'
import { createBatchedSender } from '../src/kafka/batched-sender.ts'
import { fitCandidate } from '../src/models/fit-candidate.ts'
import type { Scorer } from '../src/models/scorer.ts'
import type { ActiveModel } from '../src/registry/registry-types.ts'
import { createApiMetrics } from '../src/telemetry/metrics.ts'

const [seconds, rounds, connections, leastRatio] = [5, 3, 32, 0].map((value, i) => Number(process.argv[2 + i] ?? value))
const featureNames = ['f1', 'f2', 'f3', 'f4']
const classNames = ['a', 'b', 'c']
const instance = { f1: 5.1, f2: 3.5, f3: 1.4, f4: 0.2 }

const target: TargetConfig = { name: 'class', type: 'classification', classes: classNames }

/** A forest over four features, fitted to points whose class follows from the first two. */
const smallForest = (): Scorer => {
  const random = createRandom(42)
  const rows = 300
  const features = Float64Array.from({ length: rows * featureNames.length }, () => 10 * random.next())
  const labels = Int32Array.from({ length: rows }, (_, row) => {
    const sum = features[row * 4]! + features[row * 4 + 1]!
    return sum < 8 ? 0 : sum < 12 ? 1 : 2
  })
  const parameters = { trees: 20, maxDepth: 6, minSamplesSplit: 2, maxFeatures: 0.5 }
  const engine = { family: 'forest', engine: 'ml-random-forest', parameters } as const
  const categories = featureNames.map(() => [])
  return fitCandidate(
    { name: 'forest', calibration: 'none', ...engine },
    { kind: 'classification', featureNames, categories, classNames, rows, features, labels },
    42,
  ).scorer
}

const createFull = (): FastifyInstance => {
  const scorer = smallForest()
  const manifest = {
    name: 'forest',
    categories: featureNames.map((): string[] => []),
  } as unknown as ActiveModel['manifest']
  const model: ActiveModel = { version: '1', epoch: 1, scorer, manifest, loadedAt: 0 }
  const sender = createBatchedSender<unknown>({
    send: async () => undefined,
    lingerMs: 0,
    maxRecords: 2000,
    maxQueuedRecords: 20_000,
  })
  const up = async (): Promise<void> => undefined
  let ids = 0
  const deps: IngressDeps = {
    task: {
      task: 'bench',
      features: featureNames.map((name) => ({ name, type: 'double', range: [0, 10], nullable: false })),
      target,
      accuracy: { windowEvents: 500 },
    },
    version: '0',
    currentModel: () => model,
    refreshModel: async () => ({ status: 'unchanged', version: '1' }),
    publish: (prediction) => sender.send([prediction]),
    history: {
      predictions: async () => ({ predictions: [], next: null }),
      liveErrors: async () => ({ overall: { labelled: 0, rmse: null, r2: null }, by_version: [] }),
      liveAccuracy: async () => ({ overall: { labelled: 0, correct: 0, accuracy: null }, by_version: [] }),
    },
    namesOf: async () => null,
    probes: { kafka: up, redis: up, registry: up, models: up },
    queueBoard: null,
    metrics: createApiMetrics('bench'),
    now: Date.now,
    newId: () => `bench-${++ids}`,
  }
  return createIngress(deps)
}

/** Fastify with the same schemas and nothing behind them. */
const createBare = (): FastifyInstance => {
  const app = Fastify()
  const properties = Object.fromEntries(featureNames.map((name) => [name, { type: 'number', minimum: 0, maximum: 10 }]))
  const { $id: _, ...reply } = predictionReplySchemaOf(target)
  const body = { type: 'object', additionalProperties: false, required: featureNames, properties }
  app.post('/predict', { schema: { body, response: { 200: reply } } }, async () => ({
    event_id: 'bench-1',
    prediction: 'a',
    confidence: 0.9,
    prediction_proba: { a: 0.9, b: 0.05, c: 0.05 },
    model_used: 'forest',
    model_version: '1',
    timestamp: new Date().toISOString(),
  }))
  return app
}

const serve = async (kind: string): Promise<void> => {
  const app = kind === 'full' ? createFull() : createBare()
  await app.listen({ host: '127.0.0.1', port: 0 })
  process.once('disconnect', () => process.exit())
  process.send?.((app.server.address() as AddressInfo).port)
}

type Load = { requestsPerSecond: number; p50: string; p99: string; failed: string }

const load = async (port: number, script: string, forSeconds: number): Promise<Load> => {
  const url = `http://127.0.0.1:${port}/predict`
  const args = ['-t1', `-c${connections}`, `-d${forSeconds}s`, '--latency', '-s', script, url]
  const { stdout } = await promisify(execFile)('wrk', args, { timeout: (forSeconds + 10) * 1000 })
  const read = (pattern: RegExp): string => pattern.exec(stdout)?.[1] ?? '-'
  return {
    requestsPerSecond: Number(read(/Requests\/sec:\s+([\d.]+)/)),
    p50: read(/^\s+50%\s+(\S+)/m),
    p99: read(/^\s+99%\s+(\S+)/m),
    failed: read(/Non-2xx or 3xx responses: (\d+)/),
  }
}

const measure = async (): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'bench-ingress-'))
  const script = join(folder, 'post.lua')
  await writeFile(
    script,
    `wrk.method = "POST"\nwrk.headers["content-type"] = "application/json"\nwrk.body = '${JSON.stringify(instance)}'\n`,
  )
  const servers = await Promise.all(
    ['bare', 'full'].map(async (kind) => {
      const child = fork(import.meta.filename, ['serve', kind])
      const [port] = (await once(child, 'message')) as [number]
      return { kind, child, port, best: 0 }
    }),
  )
  try {
    for (const { port } of servers) await load(port, script, 1)
    console.log('| server | round | requests/s | p50 | p99 | failed |\n|---|---|---|---|---|---|')
    for (let round = 1; round <= rounds!; round++) {
      for (const server of servers) {
        const result = await load(server.port, script, seconds!)
        server.best = Math.max(server.best, result.requestsPerSecond)
        const { requestsPerSecond, p50, p99, failed } = result
        console.log(`| ${server.kind} | ${round} | ${Math.round(requestsPerSecond)} | ${p50} | ${p99} | ${failed} |`)
      }
    }
    const [bare, full] = servers
    const ratio = full!.best / bare!.best
    console.log(`\nPOST /predict answers ${ratio.toFixed(2)} times as many requests as the bare route.`)
    if (!(ratio >= leastRatio!)) process.exitCode = 1
  } finally {
    for (const { child } of servers) child.disconnect()
    await rm(folder, { recursive: true, force: true })
  }
}

if (process.argv[2] === 'serve') await serve(process.argv[3]!)
else await measure()
