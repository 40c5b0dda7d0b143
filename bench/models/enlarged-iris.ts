/**
 * The enlarged Iris set: 3,998 rows to train on and 1,000 to test with, made of the 150 rows of `examples/iris`.
 *
 *     node bench/models/enlarged-iris.ts --out FOLDER
 *
 * writes `iris-train.csv` and `iris-test.csv` there.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { ClassDataset } from '../../src/features/dataset.ts'
import { readCsvDataset } from '../../src/features/dataset-csv.ts'
import { createRandom, type Random } from '../../src/features/random.ts'

const features = ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'] as const
const classes = ['setosa', 'versicolor', 'virginica'] as const

const TRAIN_ROWS = 3998
const TEST_ROWS = 1000
const SEED = 42

/** Standard deviation of what is added to each measurement, in cm: half of the step in which they were taken. */
const JITTER_CM = 0.05

const baseRows = (): ClassDataset =>
  readCsvDataset(readFileSync(new URL('../../examples/iris/iris.csv', import.meta.url), 'utf8'), {
    label: 'iris.csv',
    features: features.map((name) => ({ name, type: 'double', nullable: false })),
    target: { name: 'species', type: 'classification', classes: [...classes] },
  }) as ClassDataset

/** Box and Muller's transform. */
const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())

const draw = (base: ClassDataset, rows: number, random: Random): ClassDataset => {
  const columns = features.length
  const drawn = new Float64Array(rows * columns)
  const labels = new Int32Array(rows)
  for (let row = 0; row < rows; row++) {
    const from = random.below(base.rows)
    labels[row] = base.labels[from]!
    for (let column = 0; column < columns; column++) {
      const value = base.features[from * columns + column]! + JITTER_CM * normal(random)
      drawn[row * columns + column] = Math.max(0.01, Math.round(1000 * value) / 1000)
    }
  }
  return { ...base, rows, features: drawn, labels }
}

/**
 * Each row is one of the 150 rows, drawn with replacement, with its class and with normal noise of 0.05 cm on each
 * measurement, rounded to 0.001 cm and at least 0.01 cm. Training and test rows are drawn from the same 150 rows:
 * the accuracy tells how well a model fits this set, and not how well it would tell flowers that nobody has measured.
 */
export const enlargedIris = (): { train: ClassDataset; test: ClassDataset } => {
  const base = baseRows()
  return {
    train: draw(base, TRAIN_ROWS, createRandom(SEED, 'enlarged iris, training')),
    test: draw(base, TEST_ROWS, createRandom(SEED, 'enlarged iris, test')),
  }
}

export const csvOf = ({ rows, features: values, labels }: ClassDataset): string => {
  const lines = [[...features, 'species'].join(',')]
  for (let row = 0; row < rows; row++) {
    const measured = [...values.subarray(row * features.length, (row + 1) * features.length)]
    lines.push([...measured, classes[labels[row]!]].join(','))
  }
  return `${lines.join('\n')}\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { out } = parseArgs({ options: { out: { type: 'string' } } }).values
  if (out === undefined) {
    console.error('usage: node bench/models/enlarged-iris.ts --out FOLDER')
    process.exitCode = 2
  } else {
    const { train, test } = enlargedIris()
    mkdirSync(out, { recursive: true })
    writeFileSync(join(out, 'iris-train.csv'), csvOf(train))
    writeFileSync(join(out, 'iris-test.csv'), csvOf(test))
  }
}
