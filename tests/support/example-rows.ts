import { readFileSync } from 'node:fs'
import { fitStandardiser, standardiseInto } from '../../src/features/standardiser.ts'
import type { TrainingRows } from '../../src/models/estimator.ts'

const files = {
  iris: ['iris/iris.csv', ['setosa', 'versicolor', 'virginica']],
  'breast-cancer': ['breast-cancer/breast_cancer.csv', ['malignant', 'benign']],
  digits: ['digits/digits.csv', Array.from({ length: 10 }, (_, digit) => `${digit}`)],
  diabetes: ['diabetes/diabetes.csv', null],
} as const

/** Rows as the linear families see them: standardised by their own mean and scale, all columns numbers. */
export const standardisedRows = (raw: Float64Array, columns: number, target: TrainingRows['target']): TrainingRows => {
  const rows = raw.length / columns
  const features = new Float64Array(raw.length)
  standardiseInto(fitStandardiser(raw, rows, columns), raw, 0, rows, features)
  return { features, rows, columns, categories: new Int32Array(columns), target }
}

/** All rows of an example, whose last column is the target. */
export const exampleRows = (name: string): TrainingRows => {
  const [path, classes] = files[name as keyof typeof files]
  const text = readFileSync(new URL(`../../examples/${path}`, import.meta.url), 'utf8')
  const rows = text.trimEnd().split('\n').slice(1)
  const cells = rows.map((row) => row.trimEnd().split(','))
  const columns = cells[0]!.length - 1
  const raw = Float64Array.from(cells.flatMap((row) => row.slice(0, columns).map(Number)))
  const last = cells.map((row) => row[columns]!)
  const names: readonly string[] = classes ?? []
  return standardisedRows(
    raw,
    columns,
    classes === null
      ? { kind: 'regression', values: Float64Array.from(last, Number) }
      : { kind: 'classification', labels: Int32Array.from(last, (name) => names.indexOf(name)), classes: names.length },
  )
}

/** Every `every`th row's place. */
export const everyRow = (rows: TrainingRows, every: number): number[] =>
  Array.from({ length: Math.ceil(rows.rows / every) }, (_, i) => i * every)
