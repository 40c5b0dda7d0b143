import type { ModelKind } from '../candidate.ts'
import type { FlatForest } from '../forest/flat-forest.ts'
import { buildNodes } from './build-nodes.ts'
import { checkTrees } from './check-trees.ts'
import { combineClasses, combineTargets } from './combine-leaves.ts'
import { decodeModel } from './decode-model.ts'
import { findEnsemble } from './ensemble-graph.ts'
import { orderClasses, placeColumns, type TaskColumns } from './fit-to-task.ts'
import { attributesOf, type NodeAttributes } from './node-attributes.ts'
import type { OnnxNode } from './onnx-model.ts'
import { OnnxRefused } from './onnx-refused.ts'
import { readTreeEnsemble } from './read-tree-ensemble.ts'
import { readTreeEnsemble5 } from './read-tree-ensemble-5.ts'
import type { EnsembleRule, TreeTable } from './tree-table.ts'

export type ImportLimits = { readonly maxBytes: number; readonly maxNodes: number }

/** A forest of a million nodes comes to about 100 MB. Reading takes up to eight times the file's size in memory. */
export const IMPORT_LIMITS: ImportLimits = { maxBytes: 128 * 2 ** 20, maxNodes: 2_000_000 }

const MAX_CLASSES = 1000
const MAX_FEATURES = 100_000

export type ImportOptions = {
  /** What the forest is to fit. Without it the columns stand as the file has them, and all are numbers. */
  readonly task?: TaskColumns
  /** The task's classes in their order; without them the file's order stands. */
  readonly classNames?: readonly string[]
  readonly limits?: Partial<ImportLimits>
}

/** A forest that was trained elsewhere. Its scores are those that ONNX Runtime gives. */
export type ImportedForest = {
  readonly kind: ModelKind
  /** Covers are all 0: the file does not tell them. */
  readonly forest: FlatForest
  /** Features of the task, or columns of the file. */
  readonly featureCount: number
  /** In the order of the outputs; whole numbers stand as text. Null for a regression. */
  readonly classNames: readonly string[] | null
  /** What made the file, as it says itself. */
  readonly producer: string
  /** What the one who imports should know, in sentences. */
  readonly warnings: readonly string[]
}

const pick = <T extends string>(name: string, value: string, known: Record<string, T>): T => {
  const found = Object.hasOwn(known, value) ? known[value] : undefined
  if (found === undefined) {
    throw new OnnxRefused(
      `${name} is '${value}'; a forest with one of ${Object.keys(known).join(', ')} can be imported`,
    )
  }
  return found
}

const transforms = { NONE: 'none', SOFTMAX: 'softmax', LOGISTIC: 'logistic' } as const
const aggregates = { SUM: 'sum', AVERAGE: 'average' } as const

const readBase = (attributes: NodeAttributes): number[] => Array.from(attributes.numbers('base_values'))

const readClassNames = (attributes: NodeAttributes): string[] => {
  const texts = attributes.texts('classlabels_strings')
  const names = texts.length > 0 ? [...texts] : attributes.integers('classlabels_int64s').map(String)
  if (names.length < 2 || names.length > MAX_CLASSES) {
    throw new OnnxRefused(`the ensemble has ${names.length} classes; from 2 to ${MAX_CLASSES} can be imported`)
  }
  if (new Set(names).size !== names.length || names.includes('')) {
    throw new OnnxRefused(
      'two classes have the same name, or one has none; name every class and export the forest again',
    )
  }
  return names
}

type Ensemble = {
  readonly kind: ModelKind
  readonly table: TreeTable
  readonly rule: EnsembleRule
  readonly classNames: string[] | null
}

const readEnsemble = (node: OnnxNode, maxNodes: number): Ensemble => {
  const attributes = attributesOf(node)
  if (node.opType === 'TreeEnsemble') {
    const rule: EnsembleRule = {
      aggregate: pick('aggregate_function', String(attributes.integer('aggregate_function', 1)), {
        0: 'average',
        1: 'sum',
      }),
      transform: pick('post_transform', String(attributes.integer('post_transform', 0)), { 0: 'none' }),
      base: [],
    }
    return { kind: 'regression', table: readTreeEnsemble5(attributes, maxNodes), rule, classNames: null }
  }
  const transform = pick('post_transform', attributes.text('post_transform', 'NONE'), transforms)
  const base = readBase(attributes)
  if (node.opType === 'TreeEnsembleRegressor') {
    const aggregate = pick('aggregate_function', attributes.text('aggregate_function', 'SUM'), aggregates)
    const targets = attributes.integer('n_targets', 1)
    if (targets !== 1) throw new OnnxRefused(`the ensemble predicts ${targets} numbers; export a forest of one target`)
    const table = readTreeEnsemble(attributes, 'target', targets, maxNodes)
    return { kind: 'regression', table, rule: { aggregate, transform, base }, classNames: null }
  }
  const classNames = readClassNames(attributes)
  const table = readTreeEnsemble(attributes, 'class', classNames.length, maxNodes)
  return { kind: 'classification', table, rule: { aggregate: 'sum', transform, base }, classNames }
}

const countFeatures = (declared: number | null, table: TreeTable, warnings: string[]): number => {
  const columns =
    declared ??
    table.feature.reduce((most, id, node) => (table.mode[node] === 'leaf' ? most : Math.max(most, id)), 0) + 1
  if (columns > MAX_FEATURES) {
    throw new OnnxRefused(`the forest reads ${columns} features; up to ${MAX_FEATURES} can be imported`)
  }
  if (declared === null) {
    warnings.push(`the file does not say how many features a row has; the trees ask for ${columns}`)
  }
  return columns
}

/**
 * Reads a forest from an ONNX file: TreeEnsembleClassifier or TreeEnsembleRegressor of ai.onnx.ml 1 to 4, or
 * TreeEnsemble of 5 for a regression, with nothing around it but casts and packing. Nothing in the file is trusted,
 * and the time taken grows with its size alone.
 *
 * Where the file computes in float32, thresholds move so that rows in float64 go the way that they go after rounding.
 * @throws OnnxRefused with the place and what to do
 */
export const importOnnx = (bytes: Uint8Array, options: ImportOptions = {}): ImportedForest => {
  const limits = { ...IMPORT_LIMITS, ...options.limits }
  if (bytes.byteLength > limits.maxBytes) {
    throw new OnnxRefused(
      `the file has ${bytes.byteLength} bytes, more than ${limits.maxBytes}; train fewer or smaller trees`,
    )
  }
  const model = decodeModel(bytes)
  const graph = findEnsemble(model.graph)
  const { kind, table, rule, classNames } = readEnsemble(graph.node, limits.maxNodes)
  const warnings: string[] = []
  const columns = countFeatures(graph.columns, table, warnings)
  checkTrees(table, columns)
  const { task } = options
  const places = task && placeColumns(columns, graph.columnNames, task, warnings)
  const nodes = buildNodes(table, {
    roundsValues: graph.roundsValues,
    featureOf: places ?? Array.from({ length: columns }, (_, column) => column),
    isCategory: task?.features.map((feature) => feature.isCategory) ?? new Array<boolean>(columns).fill(false),
    maxNodes: limits.maxNodes,
  })
  const combined = kind === 'regression' ? combineTargets(table, rule) : combineClasses(table, rule)
  const ordered =
    classNames !== null && options.classNames !== undefined
      ? orderClasses(combined, classNames, options.classNames, warnings)
      : combined
  return {
    kind,
    forest: { ...nodes, ...ordered, cover: new Float64Array(nodes.feature.length) },
    featureCount: task?.features.length ?? columns,
    classNames: classNames && (options.classNames ?? classNames),
    producer: model.producer,
    warnings,
  }
}
