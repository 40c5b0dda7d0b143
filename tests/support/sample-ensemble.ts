import { createRandom, type Random } from '../../src/features/random.ts'
import { ELEMENT, ML_DOMAIN, type OnnxAttribute, type OnnxModel } from '../../src/models/onnx/onnx-model.ts'

export type SampleEnsemble = {
  readonly seed: number
  readonly trees: number
  readonly maxDepth: number
  readonly columns: number
  readonly modes: readonly string[]
  readonly tracksMissing: boolean
  /** What thresholds are drawn from. */
  readonly thresholds: readonly number[]
  /** Whether the input is float64; then thresholds are, too. */
  readonly isDouble: boolean
  readonly target:
    | { readonly kind: 'regression'; readonly aggregate: 'SUM' | 'AVERAGE'; readonly base?: number }
    /** `column`: two classes and one column of weights. */
    | { readonly kind: 'shares' | 'softmax' | 'logistic column' | 'share column'; readonly classes: number }
}

type Nodes = {
  readonly treeids: number[]
  readonly nodeids: number[]
  readonly featureids: number[]
  readonly values: number[]
  readonly modes: string[]
  readonly truenodeids: number[]
  readonly falsenodeids: number[]
  readonly tracks: number[]
}

type Weights = {
  readonly treeids: number[]
  readonly nodeids: number[]
  readonly ids: number[]
  readonly values: number[]
}

const drawWeights = (random: Random, { target, trees }: SampleEnsemble): Map<number, number> => {
  const float = (value: number): number => Math.fround(value)
  // Multiples of a power of two: the runtime sums them in float32, and loses nothing.
  if (target.kind === 'regression') return new Map([[0, (random.below(20_000) - 10_000) / 1024]])
  if (target.kind === 'logistic column') return new Map([[0, float(random.next() - 0.5)]])
  if (target.kind === 'share column') return new Map([[0, float(random.next() / trees)]])
  const draws = Array.from({ length: target.classes }, () => random.next())
  const sum = draws.reduce((a, b) => a + b, 0)
  const weight = (draw: number): number => (target.kind === 'softmax' ? draw - 0.5 : draw / sum / trees)
  return new Map(draws.map((draw, c) => [c, float(weight(draw))]))
}

/** A random TreeEnsembleClassifier or TreeEnsembleRegressor as a model of its own. */
export const sampleEnsemble = (sample: SampleEnsemble): OnnxModel => {
  const random = createRandom(sample.seed, 'sample ensemble')
  const nodes: Nodes = {
    ...{
      treeids: [],
      nodeids: [],
      featureids: [],
      values: [],
      modes: [],
      truenodeids: [],
      falsenodeids: [],
      tracks: [],
    },
  }
  const weights: Weights = { treeids: [], nodeids: [], ids: [], values: [] }

  const addNode = (tree: number, first: number, depth: number): number => {
    const at = nodes.treeids.length
    const isLeaf = depth === 0 || random.below(6) === 0
    nodes.treeids.push(tree)
    nodes.nodeids.push(at - first)
    nodes.featureids.push(isLeaf ? 0 : random.below(sample.columns))
    nodes.values.push(isLeaf ? 0 : sample.thresholds[random.below(sample.thresholds.length)]!)
    nodes.modes.push(isLeaf ? 'LEAF' : sample.modes[random.below(sample.modes.length)]!)
    nodes.tracks.push(isLeaf ? 0 : random.below(2))
    nodes.truenodeids.push(0)
    nodes.falsenodeids.push(0)
    if (isLeaf) {
      for (const [id, value] of drawWeights(random, sample)) {
        weights.treeids.push(tree)
        weights.nodeids.push(at - first)
        weights.ids.push(id)
        weights.values.push(value)
      }
      return at - first
    }
    nodes.truenodeids[at] = addNode(tree, first, depth - 1)
    nodes.falsenodeids[at] = addNode(tree, first, depth - 1)
    return at - first
  }
  for (let tree = 0; tree < sample.trees; tree++) addNode(tree, nodes.treeids.length, sample.maxDepth)

  const { target, isDouble } = sample
  const integers = (value: readonly number[]): OnnxAttribute => ({ kind: 'integers', value })
  const text = (value: string): OnnxAttribute => ({ kind: 'text', value })
  const numbers = (name: string, value: readonly number[]): [string, OnnxAttribute] => {
    if (!isDouble) return [name, { kind: 'floats', value }]
    const tensor = { name: '', dims: [value.length], elementType: ELEMENT.double, values: Float64Array.from(value) }
    return [`${name}_as_tensor`, { kind: 'tensor', value: tensor }]
  }
  const prefix = target.kind === 'regression' ? 'target' : 'class'
  const attributes = new Map<string, OnnxAttribute>([
    ['nodes_treeids', integers(nodes.treeids)],
    ['nodes_nodeids', integers(nodes.nodeids)],
    ['nodes_featureids', integers(nodes.featureids)],
    numbers('nodes_values', nodes.values),
    ['nodes_modes', { kind: 'texts', value: nodes.modes }],
    ['nodes_truenodeids', integers(nodes.truenodeids)],
    ['nodes_falsenodeids', integers(nodes.falsenodeids)],
    [`${prefix}_treeids`, integers(weights.treeids)],
    [`${prefix}_nodeids`, integers(weights.nodeids)],
    [`${prefix}_ids`, integers(weights.ids)],
    numbers(`${prefix}_weights`, weights.values),
  ])
  if (sample.tracksMissing) attributes.set('nodes_missing_value_tracks_true', integers(nodes.tracks))
  if (target.kind === 'regression') {
    attributes.set('n_targets', { kind: 'integer', value: 1 })
    attributes.set('aggregate_function', text(target.aggregate))
    if (target.base !== undefined) attributes.set(...numbers('base_values', [target.base]))
  } else {
    attributes.set('classlabels_strings', {
      kind: 'texts',
      value: Array.from({ length: target.classes }, (_, c) => `c${c}`),
    })
    const transform = {
      shares: 'NONE',
      'share column': 'NONE',
      softmax: 'SOFTMAX',
      'logistic column': 'LOGISTIC',
    } as const
    attributes.set('post_transform', text(transform[target.kind]))
  }
  const isRegression = target.kind === 'regression'
  const scores = {
    name: 'scores',
    elementType: ELEMENT.float,
    dims: ['rows', isRegression ? 1 : target.classes] as const,
  }
  const label = { name: 'label', elementType: ELEMENT.string, dims: ['rows'] as const }
  return {
    irVersion: 8,
    producer: 'test',
    opsets: new Map([
      ['', 15],
      [ML_DOMAIN, isDouble ? 3 : 1],
    ]),
    metadata: new Map(),
    graph: {
      name: 'ensemble',
      nodes: [
        {
          opType: isRegression ? 'TreeEnsembleRegressor' : 'TreeEnsembleClassifier',
          ...{ domain: ML_DOMAIN, name: 'trees', inputs: ['rows'], attributes },
          outputs: isRegression ? ['scores'] : ['label', 'scores'],
        },
      ],
      initializers: [],
      inputs: [
        { name: 'rows', elementType: isDouble ? ELEMENT.double : ELEMENT.float, dims: ['rows', sample.columns] },
      ],
      outputs: isRegression ? [scores] : [label, scores],
    },
  }
}
