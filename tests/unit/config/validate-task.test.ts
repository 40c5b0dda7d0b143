import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { validateTaskText } from '../../../src/config/validate-task.ts'
import { ConfigInvalid } from '../../../src/errors.ts'

const minimal = `task: fruit
features:
  - { name: weight }
  - { name: width, unit: cm, range: [0, 5] }
target:
  name: kind
  classes: [apple, pear]
dataset:
  path: fruit.csv
training:
  candidates:
    - { name: forest, family: forest }
`

const manyNames = Array.from({ length: 256 }, (_, n) => `c${n}`)

const mistakesOf = (text: string): string[] => {
  try {
    validateTaskText(text, 'task.yaml')
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigInvalid)
    return (error as ConfigInvalid).message.split('\n')
  }
  return []
}

test('the bundled task is valid', () => {
  const file = new URL('../../../examples/iris/driftline.yaml', import.meta.url)
  expect(validateTaskText(readFileSync(file, 'utf8'), 'driftline.yaml').features).toHaveLength(4)
})

test('defaults are filled in, those of the candidates too', () => {
  const task = validateTaskText(minimal, 'task.yaml')
  expect(task.features[0]).toEqual({ name: 'weight', type: 'double', nullable: false })
  expect(task.stream.partitions).toBe(4)
  expect(task.drift.correction).toBe('benjamini-hochberg')
  expect(task.training.candidates[0]).toMatchObject({ engine: 'histogram', parameters: { trees: 100 } })
})

test.each([
  [
    'an unknown key',
    minimal.replace('unit: cm', 'unti: cm'),
    'task.yaml:4:20: features[1].unti unknown key; allowed here: name, type, unit, range, categories, nullable',
  ],
  [
    'a wrong type',
    minimal.replace('path: fruit.csv', 'path: 7'),
    'task.yaml:9:3: dataset.path is 7; it has to be of type string',
  ],
  ['a missing key', minimal.replace('  name: kind\n', ''), 'task.yaml:5:1: target the key "name" is missing'],
  [
    'an unknown family',
    minimal.replace('family: forest', 'family: woods'),
    'task.yaml:12:23: training.candidates[0].family is "woods"; allowed: "forest", "svm", "logistic", "ridge"',
  ],
  [
    'an unknown parameter of a candidate',
    minimal.replace('family: forest', 'family: forest, parameters: { treees: 5 }'),
    'task.yaml:12:53: training.candidates[0].parameters.treees unknown key; allowed here: trees, maxDepth, minSamplesSplit, minSamplesLeaf, maxFeatures, criterion',
  ],
  [
    'a feature that every event has',
    minimal.replace('name: weight', 'name: event_id'),
    'task.yaml:3:7: features[0].name is "event_id", which every event has already; choose another name',
  ],
  [
    'a range upside down',
    minimal.replace('[0, 5]', '[5, 0]'),
    'task.yaml:4:30: features[1].range has to be [least, greatest] with least below greatest',
  ],
  [
    'a metric of another kind of target',
    `${minimal}promotion: { metric: r2 }\n`,
    'task.yaml:13:14: promotion.metric is "r2"; for a classification it has to be accuracy or macro_f1',
  ],
  [
    'a range of a category',
    minimal.replace('unit: cm, range', 'type: category, categories: [wide], range'),
    'task.yaml:4:56: features[1].range is for numbers, and this feature is a category',
  ],
  [
    'a category without names',
    minimal.replace('name: weight', 'name: weight, type: category'),
    'task.yaml:3:21: features[0].type is category, so the key "categories" has to list its names',
  ],
  [
    'names of a number',
    minimal.replace('name: weight', 'name: weight, categories: [light]'),
    'task.yaml:3:21: features[0].categories is for categories, and this feature is a number; say type: category',
  ],
  [
    'a name twice in a category',
    minimal.replace('name: weight', 'name: weight, type: category, categories: [a, b, a]'),
    'task.yaml:3:37: features[0].categories is ["a","b","a"]; it must NOT have duplicate items',
  ],
  [
    'a name with blanks around it, which no dataset can have',
    minimal.replace('name: weight', 'name: weight, type: category, categories: [light, "heavy "]'),
    'task.yaml:3:57: features[0].categories[1] is "heavy "; it has to match',
  ],
  [
    'a class without a name',
    minimal.replace('[apple, pear]', '[apple, ""]'),
    'target.classes[1] is ""; it has to match',
  ],
  [
    'more names than a category may have',
    minimal.replace('name: weight', `name: weight, type: category, categories: [${manyNames.join(', ')}]`),
    'it must NOT have more than 255 items',
  ],
  [
    'a classification without classes',
    minimal.replace('  classes: [apple, pear]\n', ''),
    'task.yaml:5:1: target has no key "classes": list them, or say type: regression where a number is predicted',
  ],
  [
    'classes of a number',
    minimal.replace('  name: kind', '  type: regression\n  name: kind'),
    'task.yaml:8:3: target.classes is for classes, and this target is a number',
  ],
  [
    'a unit of a class',
    minimal.replace('  name: kind', '  unit: kg\n  name: kind'),
    'task.yaml:6:3: target.unit is for numbers, and this target is a class',
  ],
  [
    'a shift of a category',
    `${minimal.replace('name: weight', 'name: weight, type: category, categories: [a]')}story: { shift: { weight: 1 } }\n`,
    'task.yaml:13:19: story.shift.weight is a category, to which nothing can be added',
  ],
  ['broken YAML', minimal.replace('[apple, pear]', '[apple, pear'), 'task.yaml:8:1: not valid YAML'],
])('%s is named with its line and what is allowed', (_, text, expected) => {
  expect(mistakesOf(text)[0]).toContain(expected)
})

test('all mistakes are named at once', () => {
  const text = minimal.replace('unit: cm', 'unti: cm').replace('path: fruit.csv', 'path: 7')
  expect(mistakesOf(text)).toHaveLength(2)
})

test('a category and a number as target are read, with the metric of the kind', () => {
  const text = minimal
    .replace('name: weight', 'name: weight, type: category, categories: [light, heavy], nullable: true')
    .replace('  name: kind\n  classes: [apple, pear]', '  name: price\n  type: regression\n  unit: EUR')
  const task = validateTaskText(text, 'task.yaml')
  expect(task.features[0]).toEqual({
    name: 'weight',
    type: 'category',
    categories: ['light', 'heavy'],
    nullable: true,
  })
  expect(task.target).toEqual({ name: 'price', type: 'regression', unit: 'EUR' })
  expect(task.promotion).toEqual({ metric: 'r2', minImprovement: 0.02, alpha: 0.05 })
  expect(validateTaskText(minimal, 'task.yaml').promotion.metric).toBe('accuracy')
})
