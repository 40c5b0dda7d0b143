import { describe, expect, it } from 'vitest'
import { encodeModel } from '../../../../src/models/onnx/encode-model.ts'
import { importOnnx } from '../../../../src/models/onnx/import-onnx.ts'
import { ELEMENT, ML_DOMAIN, type OnnxAttribute, type OnnxModel } from '../../../../src/models/onnx/onnx-model.ts'
import { OnnxRefused } from '../../../../src/models/onnx/onnx-refused.ts'
import { greatestError, lastScores, runOnnx, scoreImported } from '../../../support/onnx.ts'

const tensor = (values: readonly number[], elementType: number = ELEMENT.double): OnnxAttribute => ({
  kind: 'tensor',
  value: { name: '', dims: [values.length], elementType, values: Float64Array.from(values) },
})
const integers = (value: readonly number[]): OnnxAttribute => ({ kind: 'integers', value })

/** Two trees over a category and a number: `x0 in {1, 3}`, then `x1 <= 0.5`; and `x0 in {0, 4}`. */
const attributes: Record<string, OnnxAttribute> = {
  n_targets: { kind: 'integer', value: 1 },
  aggregate_function: { kind: 'integer', value: 0 },
  tree_roots: integers([0, 2]),
  nodes_featureids: integers([0, 1, 0]),
  nodes_modes: tensor([6, 0, 6], ELEMENT.uint8),
  nodes_splits: tensor([0, 0.5, 0]),
  membership_values: tensor([1, 3, Number.NaN, 0, 4, Number.NaN]),
  nodes_truenodeids: integers([1, 0, 3]),
  nodes_trueleafs: integers([0, 1, 1]),
  nodes_falsenodeids: integers([1, 2, 4]),
  nodes_falseleafs: integers([1, 1, 1]),
  leaf_targetids: integers([0, 0, 0, 0, 0]),
  leaf_weights: tensor([1, 2.5, -4, 8, 16]),
}

const modelOf = (changes: Record<string, OnnxAttribute> = {}): OnnxModel => ({
  irVersion: 10,
  producer: 'test',
  opsets: new Map([
    ['', 21],
    [ML_DOMAIN, 5],
  ]),
  metadata: new Map(),
  graph: {
    name: 'ensemble',
    nodes: [
      {
        ...{ opType: 'TreeEnsemble', domain: ML_DOMAIN, name: '', inputs: ['rows'], outputs: ['value'] },
        attributes: new Map(Object.entries({ ...attributes, ...changes })),
      },
    ],
    initializers: [],
    inputs: [{ name: 'rows', elementType: ELEMENT.double, dims: ['rows', 2] }],
    outputs: [{ name: 'value', elementType: ELEMENT.double, dims: ['rows', 1] }],
  },
})

const task = {
  features: [
    { name: 'colour', isCategory: true },
    { name: 'size', isCategory: false },
  ],
}

it('sets of categories score as ONNX Runtime has them', async () => {
  const bytes = encodeModel(modelOf())
  const rows = Float64Array.from([0, 1, 2, 3, 4, 5].flatMap((code) => [code, 0.5, code, 0.6, code, Number.NaN]))
  const expected = lastScores(await runOnnx(bytes, rows, 2))
  expect(greatestError(scoreImported(importOnnx(bytes, { task }), rows), expected)).toBeLessThan(1e-12)
})

describe('refused are', () => {
  it.each<[string, Record<string, OnnxAttribute>, RegExp]>([
    ['a mode that does not exist', { nodes_modes: tensor([6, 7, 6], ELEMENT.uint8) }, /no mode 7/],
    ['fewer sets than nodes ask for', { membership_values: tensor([1, 3]) }, /empty set/],
    ['a child that does not exist', { nodes_truenodeids: integers([9, 0, 3]) }, /child 9/],
    ['a leaf in two places', { nodes_falsenodeids: integers([1, 0, 4]) }, /two ways/],
    ['a root that does not exist', { tree_roots: integers([0, 3]) }, /no root 3/],
    ['a node in two trees', { tree_roots: integers([0, 0, 2]) }, /two ways/],
    ['a tree without a root', { tree_roots: integers([0]) }, /in no tree/],
    ['a leaf of no target', { leaf_targetids: integers([0, 0, 0, 0, 1]) }, /target 1 of 1/],
    ['a transform', { post_transform: { kind: 'integer', value: 1 } }, /post_transform/],
    ['the least of the trees', { aggregate_function: { kind: 'integer', value: 2 } }, /aggregate_function/],
  ])('%s', (_, changes, says) => {
    const bytes = encodeModel(modelOf(changes))
    expect(() => importOnnx(bytes, { task })).toThrow(OnnxRefused)
    expect(() => importOnnx(bytes, { task })).toThrow(says)
  })

  it('a set of what is no category', () => {
    expect(() => importOnnx(encodeModel(modelOf()))).toThrow(/no category of the task/)
  })
})
