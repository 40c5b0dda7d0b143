import { createHash } from 'node:crypto'
import { classNamesOf, type Dataset } from './dataset.ts'

const bytesOf = (array: Float64Array | Int32Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

/**
 * SHA-256, in hex, of what rows say: the kind of target, the names of features, categories and classes and the number
 * of rows as a JSON line, then the features as float64, row-major, then the labels as int32 or the target values as
 * float64, all in the byte order that x64 and arm64 share.
 */
export const digestRows = (dataset: Dataset): string => {
  const { kind, featureNames, categories, rows } = dataset
  const head = { kind, features: featureNames, categories, classes: classNamesOf(dataset), rows }
  return createHash('sha256')
    .update(`${JSON.stringify(head)}\n`)
    .update(bytesOf(dataset.features))
    .update(bytesOf(dataset.kind === 'classification' ? dataset.labels : dataset.targets))
    .digest('hex')
}
