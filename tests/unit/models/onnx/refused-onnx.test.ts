import { describe, expect, it } from 'vitest'
import { encodeModel } from '../../../../src/models/onnx/encode-model.ts'
import { type ImportOptions, importOnnx } from '../../../../src/models/onnx/import-onnx.ts'
import type { OnnxAttribute, OnnxModel, OnnxNode } from '../../../../src/models/onnx/onnx-model.ts'
import { OnnxRefused } from '../../../../src/models/onnx/onnx-refused.ts'
import { onnxFixture } from '../../../support/onnx.ts'
import { type SampleEnsemble, sampleEnsemble } from '../../../support/sample-ensemble.ts'

const sample: SampleEnsemble = {
  ...{ seed: 3, trees: 2, maxDepth: 3, columns: 2, modes: ['BRANCH_LEQ'], tracksMissing: false, isDouble: false },
  ...{ thresholds: [0.5, 1, 2], target: { kind: 'shares', classes: 3 } },
}
const model = sampleEnsemble(sample)
const [trees] = model.graph.nodes as [OnnxNode]

const withNodes = (nodes: readonly OnnxNode[]): OnnxModel => ({ ...model, graph: { ...model.graph, nodes } })

type List = readonly number[] | readonly string[]

const withList = (of: OnnxModel, name: string, change: (list: List) => List): OnnxModel => {
  const [node] = of.graph.nodes as [OnnxNode]
  const attribute = node.attributes.get(name) as Extract<OnnxAttribute, { kind: 'integers' | 'floats' | 'texts' }>
  const changed = { ...attribute, value: change(attribute.value) } as OnnxAttribute
  const attributes = new Map(node.attributes).set(name, changed)
  return { ...of, graph: { ...of.graph, nodes: [{ ...node, attributes }] } }
}

const withAttribute = (name: string, attribute: OnnxAttribute, of = model): OnnxModel => {
  const [node] = of.graph.nodes as [OnnxNode]
  return {
    ...of,
    graph: { ...of.graph, nodes: [{ ...node, attributes: new Map(node.attributes).set(name, attribute) }] },
  }
}

const at = (place: number, value: number | string) => (list: List) => list.with(place, value as never) as List
const nodesOf = (name: string): List => (trees.attributes.get(name) as { value: List }).value
const operator = (opType: string, inputs: string[], outputs: string[], domain = ''): OnnxNode => ({
  ...{ opType, domain, name: '', inputs, outputs, attributes: new Map() },
})

const regression = sampleEnsemble({ ...sample, target: { kind: 'regression', aggregate: 'SUM', base: 1 } })
const softmax = sampleEnsemble({ ...sample, target: { kind: 'softmax', classes: 3 } })
const column = sampleEnsemble({ ...sample, target: { kind: 'logistic column', classes: 2 } })

const refuse = (changed: OnnxModel, says: RegExp, options?: ImportOptions): void => {
  const bytes = encodeModel(changed)
  expect(() => importOnnx(bytes, options)).toThrow(OnnxRefused)
  expect(() => importOnnx(bytes, options)).toThrow(says)
}

describe('an ensemble is refused', () => {
  it.each<[string, OnnxModel, RegExp]>([
    ['whose root is its own child', withList(model, 'nodes_truenodeids', at(0, 0)), /two ways/],
    [
      'where a node has two parents',
      withList(model, 'nodes_falsenodeids', (list) => at(0, (nodesOf('nodes_truenodeids') as number[])[0]!)(list)),
      /two ways/,
    ],
    ['where a child is not there', withList(model, 'nodes_truenodeids', at(0, 999)), /not there/],
    ['with nodes in no tree', withList(model, 'nodes_modes', at(0, 'LEAF')), /in no tree/],
    ['with two nodes of one id', withList(model, 'nodes_nodeids', at(1, 0)), /two nodes with id 0/],
    ['with a tree in two places', withList(model, 'nodes_treeids', at(1, 1)), /do not stand together/],
    ['with an unknown mode', withList(model, 'nodes_modes', at(0, 'BRANCH_NEAR')), /BRANCH_NEAR/],
    [
      'with lists of different lengths',
      withList(model, 'nodes_values', (list) => list.slice(1) as List),
      /should have/,
    ],
    ['with a threshold that is no number', withList(model, 'nodes_values', at(0, Number.NaN)), /compares with NaN/],
    ['with an infinite threshold', withList(model, 'nodes_values', at(0, Number.POSITIVE_INFINITY)), /Infinity/],
    ['with a feature beyond its input', withList(model, 'nodes_featureids', at(0, 2)), /feature 2 of 2/],
    ['with a negative feature', withList(model, 'nodes_featureids', at(0, -1)), /no feature -1/],
    ['with a weight that is no number', withList(model, 'class_weights', at(0, Number.NaN)), /weight NaN/],
    ['with a weight of a split', withList(model, 'class_nodeids', at(0, 0)), /no leaf/],
    ['with a weight of no tree', withList(model, 'class_treeids', at(0, 17)), /no leaf/],
    ['with a weight of no class', withList(model, 'class_ids', at(0, 3)), /class 3 of 3/],
    ['with two weights for one class', withList(model, 'class_ids', at(0, 1)), /two weights/],
    ['with shares that do not sum to 1', withList(model, 'class_weights', at(0, 2)), /sum to 1/],
    [
      'with a negative share',
      withList(
        model,
        'class_weights',
        (list) =>
          list.map((w, i) => (i === 0 ? -0.1 : i === 1 ? (w as number) + (list[0] as number) + 0.1 : w)) as number[],
      ),
      /at least 0/,
    ],
    ['with two classes of one name', withList(model, 'classlabels_strings', at(0, 'c1')), /same name/],
    ['with one class', withList(model, 'classlabels_strings', (list) => list.slice(0, 1) as List), /1 classes/],
    ['without nodes', withList(model, 'nodes_treeids', () => []), /no nodes/],
    ['with an unknown transform', withAttribute('post_transform', { kind: 'text', value: 'PROBIT' }), /PROBIT/],
    [
      'with logistic functions of many classes',
      withAttribute('post_transform', { kind: 'text', value: 'LOGISTIC' }),
      /LOGISTIC|logistic/,
    ],
    ['with base values of shares', withAttribute('base_values', { kind: 'floats', value: [1, 0, 0] }), /base values/],
    ['with too few base values', withAttribute('base_values', { kind: 'floats', value: [1] }, softmax), /base values/],
    [
      'with two base values of one column',
      withAttribute('base_values', { kind: 'floats', value: [1, 2] }, column),
      /base values/,
    ],
    [
      'with one column and a softmax',
      withAttribute('post_transform', { kind: 'text', value: 'SOFTMAX' }, column),
      /LOGISTIC/,
    ],
    [
      'with scores of one column that are no shares',
      withAttribute('post_transform', { kind: 'text', value: 'NONE' }, column),
      /sum to 1/,
    ],
    [
      'that takes the least of its trees',
      withAttribute('aggregate_function', { kind: 'text', value: 'MIN' }, regression),
      /MIN/,
    ],
    ['of several targets', withAttribute('n_targets', { kind: 'integer', value: 2 }, regression), /2 numbers/],
    [
      'of a transformed number',
      withAttribute('post_transform', { kind: 'text', value: 'LOGISTIC' }, regression),
      /logistic/,
    ],
    [
      'with an attribute of another kind',
      withAttribute('post_transform', { kind: 'integer', value: 1 }),
      /kind integer/,
    ],
    [
      'with modes as text in a tensor',
      withAttribute('nodes_values_as_tensor', {
        kind: 'tensor',
        value: { name: '', dims: [1], elementType: 8, values: ['x'] },
      }),
      /should hold numbers/,
    ],
  ])('%s', (_, changed, says) => refuse(changed, says))

  it('with more nodes than the limit', () => {
    refuse(model, /more than 5/, { limits: { maxNodes: 5 } })
  })

  it('with more bytes than the limit', () => {
    refuse(model, /bytes, more than 100/, { limits: { maxBytes: 100 } })
  })

  it('whose equality splits come to more nodes than the limit', () => {
    const equality = sampleEnsemble({ ...sample, trees: 1, maxDepth: 12, modes: ['BRANCH_EQ'] })
    refuse(equality, /comes to more than 5000/, { limits: { maxNodes: 5000 } })
  })

  it('that is deeper than any tree that learnt', () => {
    const depth = 1200
    const ids = Array.from({ length: 2 * depth + 1 }, (_, id) => id)
    const isLeaf = (id: number): boolean => id % 2 === 1 || id === 2 * depth
    const lists: Record<string, List> = {
      nodes_treeids: ids.map(() => 0),
      nodes_nodeids: ids,
      nodes_featureids: ids.map(() => 0),
      nodes_modes: ids.map((id) => (isLeaf(id) ? 'LEAF' : 'BRANCH_LEQ')),
      nodes_values: ids.map(() => 1),
      nodes_truenodeids: ids.map((id) => (isLeaf(id) ? 0 : id + 1)),
      nodes_falsenodeids: ids.map((id) => (isLeaf(id) ? 0 : id + 2)),
      target_treeids: [0],
      target_nodeids: [1],
      target_ids: [0],
      target_weights: [1],
    }
    const chain = Object.entries(lists).reduce(
      (changed, [name, list]) => withList(changed, name, () => list),
      regression,
    )
    refuse(chain, /deeper than 1000/)
  })
})

describe('a graph is refused', () => {
  const scores = 'scores'
  const castTo = (value: number): OnnxAttribute => ({ kind: 'integer', value })
  it.each<[string, OnnxModel, RegExp]>([
    ['without an ensemble', withNodes([operator('MatMul', ['rows', 'rows'], [scores])]), /0 tree ensembles .*MatMul/],
    ['with two ensembles', withNodes([trees, { ...trees, outputs: ['a', 'b'] }]), /2 tree ensembles/],
    [
      'that changes features before the trees',
      withNodes([operator('Scaler', ['rows'], ['scaled'], 'ai.onnx.ml'), { ...trees, inputs: ['scaled'] }]),
      /Scaler.* changes the features/,
    ],
    ['that changes scores after the trees', withNodes([trees, operator('Sigmoid', [scores], ['better'])]), /Sigmoid/],
    [
      'that makes whole numbers of its scores',
      withNodes([trees, { ...operator('Cast', [scores], ['whole']), attributes: new Map([['to', castTo(7)]]) }]),
      /Cast.* turns scores into other numbers/,
    ],
    [
      'that casts features by an operator of its own making',
      withNodes([
        { ...operator('Cast', ['rows'], ['cast'], 'com.example'), attributes: new Map([['to', castTo(1)]]) },
        { ...trees, inputs: ['cast'] },
      ]),
      /changes the features/,
    ],
    [
      'with an operator that hangs on nothing',
      withNodes([trees, operator('Identity', ['elsewhere'], ['x'])]),
      /Identity/,
    ],
    ['whose trees read what they make', withNodes([{ ...trees, inputs: [scores] }]), /changes the features/],
    [
      'with a circle of operators',
      withNodes([{ ...trees, inputs: ['a'] }, operator('Identity', ['b'], ['a']), operator('Identity', ['a'], ['b'])]),
      /reads what it makes/,
    ],
    ['whose trees read no input', withNodes([{ ...trees, inputs: [] }]), /no input of the graph/],
    [
      'with two makers of one value',
      withNodes([trees, operator('Identity', ['rows'], [scores])]),
      /two operators make/,
    ],
    [
      'with texts as input',
      { ...model, graph: { ...model.graph, inputs: [{ name: 'rows', elementType: 8, dims: ['n', 2] }] } },
      /type 8/,
    ],
    ['with an operator of its own making', withNodes([{ ...trees, domain: 'com.example' }]), /0 tree ensembles/],
  ])('%s', (_, changed, says) => refuse(changed, says))

  it('but not where it casts its label', () => {
    const cast = { ...operator('Cast', ['label'], ['text']), attributes: new Map([['to', castTo(8)]]) }
    expect(importOnnx(encodeModel(withNodes([trees, cast]))).classNames).toEqual(['c0', 'c1', 'c2'])
  })

  it('of a pipeline that scales', () => {
    expect(() => importOnnx(onnxFixture('refused-scaler'))).toThrow(/Scaler.*export the forest alone/)
  })
})

describe('a task is refused', () => {
  const features = (names: string[]) => ({ features: names.map((name) => ({ name, isCategory: false })) })
  it.each<[string, ImportOptions, RegExp]>([
    ['with another number of features', { task: features(['a', 'b', 'c']) }, /reads 2 columns, and the task has 3/],
    [
      'without a feature that is read',
      { task: { ...features(['a', 'b', 'c']), columnOrder: ['a', 'd'] } },
      /'d'.*no feature/,
    ],
    [
      'with one feature for two columns',
      { task: { ...features(['a', 'b', 'c']), columnOrder: ['a', 'a'] } },
      /same feature/,
    ],
    ['with a name too many', { task: { ...features(['a', 'b']), columnOrder: ['a', 'b', 'a'] } }, /3 names/],
    ['with other classes', { classNames: ['x', 'y', 'z'] }, /\[c0, c1, c2\], and the task \[x, y, z\]/],
    ['with fewer classes', { classNames: ['c0', 'c1'] }, /classes/],
  ])('%s', (_, options, says) => refuse(model, says, options))
})
