import type { ClassDataset, NumberDataset } from '../../src/features/dataset.ts'
import { createRandom } from '../../src/features/random.ts'

const categories = [[], ['red', 'green', 'blue'], [], ['s', 'm', 'l', 'xl', 'xxl']] as const

/** Two numbers and two categories, some missing, and what they add up to. */
const mixedFeatures = (rows: number, seed: number): { features: Float64Array; sums: Float64Array } => {
  const random = createRandom(seed, 'mixed rows')
  const columns = categories.length
  const features = new Float64Array(rows * columns)
  const sums = new Float64Array(rows)
  for (let row = 0; row < rows; row++) {
    const values = [random.next() * 4, random.below(3), random.next() - 0.5, random.below(5)]
    sums[row] = values[0]! + (values[1] === 2 ? 2 : 0) + 3 * values[2]! - (values[3]! % 2) + random.next() / 4
    values.forEach((value, column) => {
      features[row * columns + column] = random.below(12) === 0 ? Number.NaN : value
    })
  }
  return { features, sums }
}

const head = { featureNames: ['height', 'colour', 'shift', 'size'], categories }

/** Rows with categories and missing values, and a number to be told. */
export const mixedNumbers = (rows: number, seed: number): NumberDataset => {
  const { features, sums } = mixedFeatures(rows, seed)
  return { ...head, kind: 'regression', rows, features, targets: sums }
}

/** The same with two or three classes: low, high, and between. */
export const mixedClasses = (rows: number, seed: number, classes: 2 | 3): ClassDataset => {
  const { features, sums } = mixedFeatures(rows, seed)
  const classNames = ['low', 'high', 'middle'].slice(0, classes)
  const labels = Int32Array.from(sums, (sum) => (classes === 3 && sum > 1.5 && sum < 3 ? 2 : sum > 2 ? 1 : 0))
  return { ...head, kind: 'classification', rows, features, classNames, labels }
}
