import { encodedColumns } from '../../features/encoder.ts'
import { STANDARDISED_LIMIT } from '../../features/standardiser.ts'
import { flatForestOf } from '../forest/forest-sections.ts'
import { loadScorer, openBinary } from '../load-scorer.ts'
import type { ModelManifest, StandardiserParameters } from '../manifest.ts'
import { ArtefactCorrupt } from '../model-errors.ts'
import { outputsOf } from '../scorer.ts'
import type { Sections } from '../sections.ts'
import { calibrationCode } from './calibration-code.ts'
import { DECODERS, embedIntegers, embedJson, embedNumbers } from './embed-array.ts'
import { forestCode } from './forest-code.ts'
import { logisticCode, ridgeCode } from './linear-code.ts'
import { svmCode } from './svm-code.ts'

/** Defines `prepare(row)`: one column per category, standardised, as `encodeInto` and `standardiseInto` do. */
const standardiserCode = (counts: readonly number[], { mean, scale }: StandardiserParameters): string =>
  `const counts = ${embedIntegers(counts)}
const mean = ${embedNumbers(mean)}
const scale = ${embedNumbers(scale)}
const prepare = (row) =>
  row
    .flatMap((value, feature) => {
      if (counts[feature] === 0) return [value]
      return Array.from({ length: counts[feature] }, (_, code) => (Number.isNaN(value) ? value : value === code ? 1 : 0))
    })
    .map((value, column) => {
      if (Number.isNaN(value)) return 0
      return Math.min(${STANDARDISED_LIMIT}, Math.max(-${STANDARDISED_LIMIT}, (value - mean[column]) / scale[column]))
    })`

/** Defines `prepare(row)`: a category that is not known counts as missing, as for `hideUnknownCategories`. */
const knownCode = (counts: readonly number[]): string =>
  `const counts = ${embedIntegers(counts)}
const prepare = (row) => row.map((value, feature) => (counts[feature] > 0 && value >= counts[feature] ? Number.NaN : value))`

/** Defines `prepare` and `scoreRow` of the model's family. */
const familyCode = (manifest: ModelManifest, sections: Sections): string => {
  const { family, kind, features, categories, classes, standardiser } = manifest
  const outputs = outputsOf(kind, classes)
  const counts = categories.map(({ length }) => length)
  if (family === 'forest') {
    const forest = flatForestOf(sections, { columns: features.length, outputs })
    return `${knownCode(counts)}\n\n${forestCode(forest, kind)}`
  }
  if (standardiser === null) throw new ArtefactCorrupt(`a model of family ${family} needs a standardiser, and has none`)
  const columns = encodedColumns(counts)
  const prepare = standardiserCode(counts, standardiser)
  if (family === 'ridge') return `${prepare}\n\n${ridgeCode(sections, columns)}`
  if (family === 'logistic') return `${prepare}\n\n${logisticCode(sections, columns, outputs)}`
  return `${prepare}\n\n${svmCode(sections, { kind, columns, outputs })}`
}

const readerCode = `const codeOf = (names, value) => {
  const code = names.indexOf(String(value))
  return code < 0 ? names.length : code
}

const readFeature = (features, name, place) => {
  const isList = Array.isArray(features)
  if (!isList && !Object.hasOwn(features, name)) {
    throw new TypeError('feature ' + name + ' is not given; give null where it is missing')
  }
  const value = isList ? features[place] : features[name]
  if (value === null || value === undefined || Number.isNaN(value)) return Number.NaN
  if (categories[place].length > 0) return codeOf(categories[place], value)
  if (typeof value !== 'number') throw new TypeError('feature ' + name + ' is no number: ' + String(value))
  return value
}

const readRow = (features) => {
  if (typeof features !== 'object' || features === null) throw new TypeError('features must be an object or a list')
  if (Array.isArray(features) && features.length !== featureNames.length) {
    throw new TypeError('there are ' + features.length + ' features and should be ' + featureNames.length)
  }
  return featureNames.map((name, place) => readFeature(features, name, place))
}`

const valueCode = `/** @returns {{ value: number }} */
export const score = (features) => ({ value: scoreRow(prepare(readRow(features)))[0] })`

const classesCode = `/** @returns {{ prediction: string, confidence: number, probabilities: Record<string, number> }} */
export const score = (features) => {
  const probabilities = calibrate(scoreRow(prepare(readRow(features))))
  // Of equal probabilities the first wins.
  const best = probabilities.indexOf(probabilities.reduce((most, p) => Math.max(most, p)))
  return {
    prediction: classNames[best],
    confidence: probabilities[best],
    probabilities: Object.fromEntries(classNames.map((name, c) => [name, probabilities[c]])),
  }
}`

/**
 * Writes a stored model as one module of JavaScript (ES2022) that needs nothing else, for browsers, edge workers and
 * Node. It exports `score(features)`, where `features` is an object by name or a list in order, null where a value is
 * missing, categories by name; and `featureNames`, `categories`, `classNames`, `model`. Scores are ours to 1e-12. The
 * same model gives the same text. Nothing in the text is evaluated but what this writes: names stand in it as strings.
 * @param version what the module is to say that it was made of, if anything
 * @throws ArtefactCorrupt
 */
export const exportJavaScript = (manifest: ModelManifest, binary: Uint8Array, version?: string): string => {
  // The same checks as before the model scores: what could not be served is not handed on.
  loadScorer(manifest, binary)
  const sections = openBinary(manifest, binary)
  const { task, name, kind, family, engine, features, categories, classes, calibration } = manifest
  const about = { task, name, kind, family, engine, version: version ?? null, sha256: manifest.binary.sha256 }
  const isRegression = kind === 'regression'
  const parts = [
    '// A model of Driftline as a module without dependencies.',
    `export const model = ${embedJson(about)}`,
    `export const featureNames = ${embedJson(features)}`,
    '/** The names of each feature that is a category, none for a number. */',
    `export const categories = ${embedJson(categories)}`,
    '/** In the order of the probabilities; empty for a model of numbers. */',
    `export const classNames = ${embedJson(classes)}`,
    `\n${DECODERS}`,
    `\n${familyCode(manifest, sections)}`,
    ...(isRegression ? [] : [`\n${calibrationCode(sections, calibration?.method ?? null, classes.length)}`]),
    `\n${readerCode}`,
    `\n${isRegression ? valueCode : classesCode}`,
  ]
  return `${parts.join('\n')}\n`
}
