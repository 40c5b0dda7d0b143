import { attributesOf } from './node-attributes.ts'
import { ELEMENT, ML_DOMAIN, type OnnxGraph, type OnnxNode, type OnnxValue } from './onnx-model.ts'
import { OnnxRefused } from './onnx-refused.ts'

/** The one ensemble of a graph and what it reads. */
export type EnsembleGraph = {
  readonly node: OnnxNode
  /** Whether values are rounded to float32 before trees compare them. */
  readonly roundsValues: boolean
  /** Columns of the ensemble's input, or null where the file leaves them open. */
  readonly columns: number | null
  /** The names of the columns, where each is an input of its own. */
  readonly columnNames: readonly string[] | null
}

const ENSEMBLES = new Set(['TreeEnsembleClassifier', 'TreeEnsembleRegressor', 'TreeEnsemble'])

/** Operators behind the ensemble that change how its outcome is packed, but no number of it. */
const PACKING = new Set(['Identity', 'Cast', 'ZipMap', 'Reshape', 'Flatten', 'Squeeze'])

const KNOWN_TYPES = new Set<number>([ELEMENT.float, ELEMENT.double, ELEMENT.int64, ELEMENT.int32])

const describe = ({ opType, domain, name }: OnnxNode): string =>
  `operator ${domain === '' ? '' : `${domain}.`}${opType}${name === '' ? '' : ` '${name}'`}`

/** Which node makes each value. */
const producersOf = (nodes: readonly OnnxNode[]): Map<string, OnnxNode> => {
  const producers = new Map<string, OnnxNode>()
  for (const node of nodes) {
    for (const output of node.outputs) {
      if (output === '') continue
      if (producers.has(output)) throw new OnnxRefused(`two operators make '${output}'; export the model again`)
      producers.set(output, node)
    }
  }
  return producers
}

type Source = { readonly input: OnnxValue; readonly roundsValues: boolean; readonly path: readonly OnnxNode[] }

/** Goes from a value back to the input that it is, through operators that at most round it. */
const sourceOf = (name: string, graph: OnnxGraph, producers: ReadonlyMap<string, OnnxNode>): Source | OnnxNode => {
  const path: OnnxNode[] = []
  let roundsValues = false
  let at = name
  for (let node = producers.get(at); node !== undefined; node = producers.get(at)) {
    const isStandard = node.domain === ''
    if (isStandard && node.opType === 'Concat' && path.length === 0) return node
    const target = node.opType === 'Cast' ? attributesOf(node).integer('to', 0) : ELEMENT.double
    if (
      !isStandard ||
      (node.opType !== 'Cast' && node.opType !== 'Identity') ||
      (target !== ELEMENT.float && target !== ELEMENT.double)
    ) {
      throw new OnnxRefused(
        `${describe(node)} changes the features before the trees; export the forest alone and prepare features as the task does`,
      )
    }
    if (path.includes(node)) throw new OnnxRefused(`${describe(node)} reads what it makes; export the model again`)
    path.push(node)
    roundsValues ||= target === ELEMENT.float
    at = node.inputs[0] ?? ''
  }
  const input = graph.inputs.find((value) => value.name === at)
  if (input === undefined)
    throw new OnnxRefused(`the trees read '${at}', which is no input of the graph; export it again`)
  if (!KNOWN_TYPES.has(input.elementType)) {
    throw new OnnxRefused(
      `input '${at}' has elements of type ${input.elementType}; export the forest with numbers as input`,
    )
  }
  return { input, roundsValues: roundsValues || input.elementType !== ELEMENT.double, path }
}

const widthOf = ({ dims }: OnnxValue): number | null => {
  const width = dims[1]
  return typeof width === 'number' && width > 0 ? width : null
}

type EnsembleInput = Omit<EnsembleGraph, 'node'> & { readonly path: readonly OnnxNode[] }

const readInput = (node: OnnxNode, graph: OnnxGraph, producers: ReadonlyMap<string, OnnxNode>): EnsembleInput => {
  const source = sourceOf(node.inputs[0] ?? '', graph, producers)
  if ('input' in source) {
    const { input, roundsValues, path } = source
    return { roundsValues, columns: widthOf(input), columnNames: null, path }
  }
  const axis = attributesOf(source).integer('axis', 1)
  if (axis !== 1 && axis !== -1)
    throw new OnnxRefused(`${describe(source)} does not join columns; export the forest alone`)
  const parts = source.inputs.map((name) => sourceOf(name, graph, producers))
  const columns = parts.map((part) => {
    if (!('input' in part) || widthOf(part.input) !== 1) {
      throw new OnnxRefused(`${describe(source)} joins more than single columns; export the forest with one input`)
    }
    return part
  })
  return {
    roundsValues: columns.some((part) => part.roundsValues),
    columns: columns.length,
    columnNames: columns.map(({ input }) => input.name),
    path: [source, ...columns.flatMap(({ path }) => path)],
  }
}

/** Whether a cast keeps numbers as they are, but for their rounding to float32. */
const keepsNumbers = (cast: OnnxNode): boolean => {
  const to = attributesOf(cast).integer('to', 0)
  return to === ELEMENT.float || to === ELEMENT.double
}

/** Every other operator must only pack what the ensemble gives. */
const checkPacking = (graph: OnnxGraph, ensemble: OnnxNode, before: readonly OnnxNode[]): void => {
  const constants = new Set(graph.initializers.map(({ name }) => name))
  const outcomes = new Set(ensemble.outputs)
  // A classifier gives its label first, which may be cast to anything; all else are scores.
  const labels = new Set(ensemble.opType === 'TreeEnsembleClassifier' ? ensemble.outputs.slice(0, 1) : [])
  const rest = graph.nodes.filter((node) => node !== ensemble && !before.includes(node))
  // Operators stand in the order in which they are computed, as ONNX demands.
  for (const node of rest) {
    const isPacking = PACKING.has(node.opType) && (node.domain === '' || node.domain === ML_DOMAIN)
    if (!isPacking || !node.inputs.every((name) => outcomes.has(name) || constants.has(name))) {
      throw new OnnxRefused(`${describe(node)} is no part of a forest that can be imported; export the forest alone`)
    }
    const isLabel = node.inputs.every((name) => labels.has(name) || constants.has(name))
    if (node.opType === 'Cast' && !isLabel && !keepsNumbers(node)) {
      throw new OnnxRefused(`${describe(node)} turns scores into other numbers; export the forest alone`)
    }
    for (const output of node.outputs) {
      outcomes.add(output)
      if (isLabel) labels.add(output)
    }
  }
}

/**
 * Finds the one tree ensemble of a graph, and checks that nothing around it changes features or scores.
 * @throws OnnxRefused
 */
export const findEnsemble = (graph: OnnxGraph): EnsembleGraph => {
  const ensembles = graph.nodes.filter(({ opType, domain }) => domain === ML_DOMAIN && ENSEMBLES.has(opType))
  const [node] = ensembles
  if (node === undefined || ensembles.length > 1) {
    const found = [...new Set(graph.nodes.map(({ opType }) => opType))].slice(0, 10).join(', ')
    throw new OnnxRefused(
      `the graph has ${ensembles.length} tree ensembles and should have one (its operators: ${found || 'none'}); ` +
        'export a random forest, extra trees, a decision tree or gradient boosting, alone',
    )
  }
  const { path, ...input } = readInput(node, graph, producersOf(graph.nodes))
  checkPacking(graph, node, path)
  return { node, ...input }
}
