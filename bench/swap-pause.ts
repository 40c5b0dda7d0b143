/**
 * What a model swap costs: how long after a promotion each worker serves the new model, and how long the scoring loop
 * of a worker stands still meanwhile. Workers are processes of their own; each swap loads, checks, verifies and warms a
 * forest between their batches. A busy worker never rests, so every step of the load waits for a batch; the other one
 * rests 10 ms after each batch, which its gaps include. Needs Redis (REDIS_URL). Prints a Markdown table.
 *
 *     node bench/swap-pause.ts [swaps] [workers]
 */
import { fork } from 'node:child_process'
import { hash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { createRandom } from '../src/features/random.ts'
import { packForest } from '../src/models/forest/forest-sections.ts'
import { loadScorer } from '../src/models/load-scorer.ts'
import type { Evaluation, ModelArtefact, ModelManifest } from '../src/models/manifest.ts'
import { packSections } from '../src/models/sections.ts'
import { scoreRows, verifyGolden } from '../src/models/verify-golden.ts'
import { createFolderStore } from '../src/registry/folder-store.ts'
import { createLiveModel } from '../src/registry/live-model.ts'
import { createRedisSignal } from '../src/registry/redis-signal.ts'
import { createRegistry } from '../src/registry/registry.ts'
import { createLogger } from '../src/telemetry/log.ts'

const redisUrl = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379'
const logger = createLogger({ name: 'bench', level: 'error', instanceId: 'bench' })
const columns = 4
const classNames = ['a', 'b', 'c']
const batchRows = 500

/** A clock that all processes of this machine share, in ms with fractions. */
const sharedNow = (): number => performance.timeOrigin + performance.now()

type Swap = { version: string; flippedAt: number; loadMs: number; swapGapMs: number; calmGapMs: number }

/** A forest of full trees with random splits: the size of a real one without the time of its training. */
const randomForest = (seed: number, trees: number, depth: number): ModelArtefact => {
  const random = createRandom(seed)
  const inner = 2 ** depth - 1
  const perTree = 2 * inner + 1
  const nodes = trees * perTree
  const feature = new Int32Array(nodes)
  const threshold = new Float64Array(nodes)
  const left = new Int32Array(nodes)
  const right = new Int32Array(nodes)
  for (let tree = 0; tree < trees; tree += 1) {
    for (let node = 0; node < perTree; node += 1) {
      const at = tree * perTree + node
      const leaf = node >= inner
      feature[at] = leaf ? -1 : Math.floor(random.next() * columns)
      threshold[at] = leaf ? 0 : random.next()
      left[at] = leaf ? Math.floor(random.next() * classNames.length) : tree * perTree + 2 * node + 1
      right[at] = leaf ? 0 : tree * perTree + 2 * node + 2
    }
  }
  // As many rows as leaves came to each node, so that a parent's are those of its children.
  const cover = Float64Array.from(
    { length: nodes },
    (_, at) => 2 ** (depth - Math.floor(Math.log2((at % perTree) + 1))),
  )
  const { binary, sections } = packSections(
    packForest({
      outputs: classNames.length,
      roots: Int32Array.from({ length: trees }, (_, tree) => tree * perTree),
      feature,
      threshold,
      left,
      right,
      missingLeft: new Uint8Array(nodes),
      categorySet: new Int32Array(nodes).fill(-1),
      categoryWords: new Int32Array(0),
      cover,
      leaves: Float64Array.from([1, 0, 0, 0, 1, 0, 0, 0, 1]),
      combine: { rule: 'mean' },
    }),
  )
  const nothing: Evaluation = {
    kind: 'classification',
    rows: 0,
    accuracy: 0,
    macro_f1: 0,
    log_loss: 0,
    brier_score: 0,
    calibration_error: 0,
    confusion: [],
    per_class: [],
  }
  const golden = Array.from({ length: 8 }, () => Array.from({ length: columns }, () => random.next()))
  const manifest: ModelManifest = {
    format: 2,
    kind: 'classification',
    categories: Array.from({ length: columns }, () => []),
    calibration: null,
    task: 'bench',
    name: 'forest',
    family: 'forest',
    engine: 'random',
    parameters: { trees, depth },
    features: Array.from({ length: columns }, (_, at) => `f${at}`),
    classes: classNames,
    standardiser: null,
    seed,
    data: { digest: hash('sha256', ''), base_rows: 0, recent_rows: 0, train_rows: 0, test_rows: 0 },
    reference: { source: 'training', rows: 0 },
    metrics: { cv: { metric: 'accuracy', mean: 0, sd: 0, se: 0, folds: 0, repeats: 0 }, train: nothing, test: nothing },
    candidates: [],
    golden: { features: golden, outputs: golden.map(() => [1, 0, 0]), tolerance: 1e-9 },
    parent: null,
    reason: 'bench',
    binary: { sha256: hash('sha256', binary), bytes: binary.byteLength, sections },
  }
  const outputs = scoreRows(loadScorer(manifest, binary), golden)
  return { manifest: { ...manifest, golden: { ...manifest.golden, outputs } }, binary }
}

/** Scores without a rest and tells the parent of each swap: the longest gap around it, and the longest one before. */
const runWorker = async (root: string, task: string, name: string, restMs: number): Promise<void> => {
  let notice: { version: string; flippedAt: number; loadMs: number } | null = null
  const signal = createRedisSignal({ redisUrl, task, ackTtlMs: 15_000, logger })
  const model = createLiveModel({
    store: createFolderStore({ root, logger }),
    signal,
    role: 'score',
    instanceId: name,
    loadScorer,
    verifyGolden,
    pollMs: 2000,
    onSwap: ({ version, previous, loadMs }) => {
      if (previous !== null) notice = { version, loadMs, flippedAt: sharedNow() }
    },
    logger,
    now: Date.now,
  })
  await model.start()
  process.on('message', (message) => {
    if (message === 'promoting') calm = gaps.splice(0)
  })
  const random = createRandom(7)
  const features = Float64Array.from({ length: batchRows * columns }, () => random.next())
  const probabilities = new Float64Array(batchRows * classNames.length)
  const gaps: number[] = []
  let calm: number[] = []
  let running = true
  process.once('disconnect', () => {
    running = false
  })
  process.send?.('ready')
  let endedAt = performance.now()
  let batchesAfter = 0
  while (running) {
    gaps.push(performance.now() - endedAt)
    model.current()?.scorer.scoreBlock(features, batchRows, probabilities)
    endedAt = performance.now()
    await (restMs === 0 ? nextTurn() : sleep(restMs))
    if (notice !== null && ++batchesAfter === 20) {
      const swap: Swap = { ...(notice as Omit<Swap, 'swapGapMs' | 'calmGapMs'>), swapGapMs: 0, calmGapMs: 0 }
      process.send?.({ ...swap, swapGapMs: Math.max(...gaps), calmGapMs: Math.max(0, ...calm) })
      notice = null
      batchesAfter = 0
      gaps.length = 0
    }
  }
  await model.stop()
  await signal.close()
}

const quantile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))] ?? Number.NaN

type Setting = { trees: number; depth: number; restMs: number }

const measure = async ({ trees, depth, restMs }: Setting, swaps: number, workers: number): Promise<string[]> => {
  const root = await mkdtemp(join(tmpdir(), 'driftline-bench-'))
  const task = `bench${randomUUID().replaceAll('-', '')}`
  const store = createFolderStore({ root })
  const signal = createRedisSignal({ redisUrl, task, ackTtlMs: 15_000, logger })
  const registry = createRegistry({ store, signal, now: Date.now, logger })
  const promote = (version: string) =>
    registry.promote({ alias: 'production', version, actor: 'bench', reason: 'bench' })
  const run = {
    trained_at: 0,
    trained_by: '',
    seconds: 0,
    fit_seconds: {},
    artefact_bytes: {},
    node: '',
    driftline: '',
  }
  // Three, in turn: the live model keeps the one before, and would take it back without a load.
  const versions: string[] = []
  let bytes = 0
  for (const seed of [1, 2, 3]) {
    const artefact = randomForest(seed, trees, depth)
    bytes = artefact.binary.byteLength
    versions.push(await store.addVersion(artefact, run))
  }
  await promote(versions[0]!)
  const children = Array.from({ length: workers }, (_, at) =>
    fork(import.meta.filename, ['worker', root, task, `w${at}`, String(restMs)]),
  )
  await Promise.all(children.map((child) => once(child, 'message')))

  const delays: number[] = []
  const seen: Swap[] = []
  for (let round = 1; round <= swaps; round += 1) {
    const version = versions[round % versions.length]!
    for (const child of children) child.send('promoting')
    const reports = children.map((child) => once(child, 'message'))
    await promote(version)
    const promotedAt = sharedNow()
    for (const [swap] of (await Promise.all(reports)) as [Swap][]) {
      if (swap.version !== version) throw new Error(`a worker reported version ${swap.version} instead of ${version}`)
      delays.push(swap.flippedAt - promotedAt)
      seen.push(swap)
    }
  }
  for (const child of children) child.disconnect()
  await Promise.all(children.map((child) => once(child, 'exit')))
  await signal.close()
  await rm(root, { recursive: true, force: true })
  const redis = new Redis(redisUrl)
  await redis.del(
    ['epoch', 'aliases', ...children.map((_, at) => `acks:w${at}`)].map((key) => `driftline:${task}:${key}`),
  )
  redis.disconnect()

  const figures = (values: readonly number[]): string =>
    [0.5, 0.99].map((share) => quantile(values, share).toFixed(1)).join(' / ')
  return [
    `${trees} trees, depth ${depth}, ${(bytes / 1e6).toFixed(2)} MB, ${restMs === 0 ? 'busy' : 'resting'}`,
    ...[delays, seen.map(({ loadMs }) => loadMs), seen.map(({ swapGapMs }) => swapGapMs)].map(figures),
    figures(seen.map(({ calmGapMs }) => calmGapMs)),
  ]
}

const [first, ...rest] = process.argv.slice(2)
if (first === 'worker') {
  const [root, task, name, restMs] = rest as [string, string, string, string]
  await runWorker(root, task, name, Number(restMs))
} else {
  const swaps = Number(first ?? 100)
  const workers = Number(rest[0] ?? 1)
  const head = ['model, worker', 'promoted to flipped, ms', 'load, ms', 'longest gap in a swap, ms', 'and before, ms']
  console.log(`${swaps} swaps, ${workers} worker(s), batches of ${batchRows} rows; each cell: median / p99\n`)
  console.log(`| ${head.join(' | ')} |\n|${head.map(() => '---').join('|')}|`)
  for (const depth of [6, 10]) {
    for (const restMs of [0, 10]) {
      console.log(`| ${(await measure({ trees: 100, depth, restMs }, swaps, workers)).join(' | ')} |`)
    }
  }
}
