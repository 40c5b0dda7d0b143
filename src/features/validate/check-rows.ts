import type { Dataset } from '../dataset.ts'
import type { ValidationIssue } from './validation-report.ts'

/** From this share of the rows on, repeated rows make tests look better than they are. */
const MANY_DUPLICATES = 0.05

/** From this share on, no model can be good on the rows. */
const MANY_CONTRADICTIONS = 0.01

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

/** 53 bits of each row's features. Rows with the same features have the same; others hardly ever do. */
const hashRows = ({ features, featureNames, rows }: Dataset): Float64Array => {
  // Zeros of either sign and every NaN are one value.
  const values = features.map((value) => (Number.isNaN(value) ? Number.NaN : value + 0))
  const words = new Int32Array(values.buffer)
  const wordsPerRow = featureNames.length * 2
  const hashes = new Float64Array(rows)
  for (let row = 0; row < rows; row++) {
    let first = 0x811c9dc5
    let second = 0x9e3779b9
    for (let i = row * wordsPerRow; i < (row + 1) * wordsPerRow; i++) {
      first = Math.imul(first ^ words[i]!, 0x01000193)
      first ^= first >>> 15
      second = Math.imul(second ^ words[i]!, 0x85ebca6b)
      second ^= second >>> 13
    }
    hashes[row] = (first >>> 0) * 2 ** 21 + (second >>> 11)
  }
  return hashes
}

const sameFeatures = ({ features, featureNames }: Dataset, a: number, b: number): boolean => {
  const width = featureNames.length
  for (let i = 0; i < width; i++) {
    const [one, other] = [features[a * width + i]!, features[b * width + i]!]
    if (one !== other && !(Number.isNaN(one) && Number.isNaN(other))) return false
  }
  return true
}

/** Rows that repeat an earlier one, and rows that have its features and another class. */
const countRepeats = (dataset: Dataset): { duplicates: number; contradictions: number } => {
  const hashes = hashRows(dataset)
  const firstRow = new Map<number, number>()
  const targets = dataset.kind === 'classification' ? dataset.labels : dataset.targets
  let duplicates = 0
  let contradictions = 0
  for (let row = 0; row < dataset.rows; row++) {
    const first = firstRow.get(hashes[row]!)
    if (first === undefined) {
      firstRow.set(hashes[row]!, row)
    } else if (sameFeatures(dataset, first, row)) {
      if (targets[row] === targets[first]) duplicates++
      else contradictions++
    }
  }
  return { duplicates, contradictions }
}

/** Whether rows repeat or contradict each other. */
export const checkRows = (dataset: Dataset): ValidationIssue[] => {
  const { duplicates, contradictions } = countRepeats(dataset)
  const issues: ValidationIssue[] = []
  if (duplicates > dataset.rows * MANY_DUPLICATES) {
    issues.push({
      ...{ severity: 'warning', code: 'DUPLICATE_ROWS', feature: null },
      message: `${duplicates} rows (${percent(duplicates / dataset.rows)}) repeat an earlier one`,
      remedy: 'remove them: a row that is trained on and tested with makes the figures look better than they are',
    })
  }
  if (dataset.kind === 'classification' && contradictions > dataset.rows * MANY_CONTRADICTIONS) {
    issues.push({
      ...{ severity: 'warning', code: 'CONTRADICTING_ROWS', feature: null },
      message: `${contradictions} rows (${percent(contradictions / dataset.rows)}) have the features of an earlier row and another class`,
      remedy: 'look whether the labels are right, or whether a feature is missing that tells them apart',
    })
  }
  return issues
}
