import { describe, expect, it } from 'vitest'
import { exportJavaScript } from '../../../../src/models/javascript/export-javascript.ts'
import { ArtefactCorrupt } from '../../../../src/models/model-errors.ts'
import type { Scorer } from '../../../../src/models/scorer.ts'
import { classifiers, regressors } from '../../../support/engine-candidates.ts'
import { type FittedArtefact, fittedArtefact, hostileRows, mixedRows } from '../../../support/fitted-artefact.ts'
import { greatestError } from '../../../support/onnx.ts'
import { clouds } from '../../../support/training-rows.ts'

type Feature = number | string | null
type Module = {
  readonly featureNames: readonly string[]
  readonly classNames: readonly string[]
  readonly categories: readonly (readonly string[])[]
  readonly model: Readonly<Record<string, unknown>>
  readonly score: (features: readonly Feature[] | Readonly<Record<string, Feature>>) => {
    readonly value: number
    readonly prediction: string
    readonly confidence: number
    readonly probabilities: Readonly<Record<string, number>>
  }
}

const load = ({ artefact }: Pick<FittedArtefact, 'artefact'>): Promise<Module> => {
  const text = exportJavaScript(artefact.manifest, artefact.binary, 'v7')
  return import(/* @vite-ignore */ `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`)
}

const scoreOurs = (scorer: Scorer, rows: Float64Array): number[] => {
  const count = rows.length / scorer.featureNames.length
  const out = new Float64Array(count * scorer.outputs)
  scorer.scoreBlock(rows, count, out)
  return [...out]
}

/** Rows as a caller has them: null where missing, categories by name, one that is not known by another name. */
const asCalled = (rows: Float64Array, { categories, featureNames }: Module): Feature[][] =>
  Array.from({ length: rows.length / featureNames.length }, (_, row) =>
    featureNames.map((_name, column) => {
      const value = rows[row * featureNames.length + column]!
      const names = categories[column]!
      if (Number.isNaN(value)) return null
      return names.length === 0 ? value : (names[value] ?? 'never seen')
    }),
  )

const compare = async (fitted: FittedArtefact, rows: Float64Array): Promise<number> => {
  const module = await load(fitted)
  const theirs = asCalled(rows, module).flatMap((features) => {
    const { value, probabilities } = module.score(features)
    return fitted.scorer.kind === 'regression' ? [value] : Object.values(probabilities)
  })
  return greatestError(theirs, scoreOurs(fitted.scorer, rows))
}

const five = clouds({ rowsPerClass: 30, classes: 5, columns: 3, distance: 1.2, seed: 4 })
const two = clouds({ rowsPerClass: 60, classes: 2, columns: 4, distance: 1, seed: 5 })
const mixed = mixedRows(150, 3, 6)

describe.each([
  ['five classes', five],
  ['two classes', two],
  ['categories and missing values', mixed],
])('a module scores %s as we do', (_, dataset) => {
  it.each(classifiers)('$name', async (candidate) => {
    expect(await compare(fittedArtefact(candidate, dataset), hostileRows(dataset, 200, 1))).toBeLessThan(1e-12)
  })

  it.each([
    ['platt', classifiers[0]!],
    ['isotonic', classifiers[0]!],
    ['platt', classifiers[6]!],
    ['isotonic', classifiers[6]!],
  ] as const)('%s calibration of $name', async (method, candidate) => {
    expect(await compare(fittedArtefact(candidate, dataset, method), hostileRows(dataset, 200, 2))).toBeLessThan(1e-12)
  })
})

it.each(regressors)('a module gives the values of $name', async (candidate) => {
  const dataset = mixedRows(150, 0, 7)
  expect(await compare(fittedArtefact(candidate, dataset), hostileRows(dataset, 200, 3))).toBeLessThan(1e-12)
})

describe('a module', () => {
  const names = [
    `it's "quoted"`,
    '</script><script>alert(1)</script>',
    'line\nbreak\u2028',
    '`+alert(1)+`',
    '__proto__',
  ]
  const odd = { ...five, classNames: names, featureNames: ['__proto__', '</script>', 'a\\b'] }
  const fitted = fittedArtefact(classifiers[6]!, odd)

  it('carries any name, as a string and nothing else', async () => {
    const module = await load(fitted)
    expect(module.classNames).toEqual(names)
    expect(module.featureNames).toEqual(odd.featureNames)
    expect(Object.keys(module.score([1, 2, 3]).probabilities).toSorted()).toEqual(names.toSorted())
    expect(exportJavaScript(fitted.artefact.manifest, fitted.artefact.binary)).not.toContain('</script')
  })

  it('says what it was made of, and is the same text each time', async () => {
    const { manifest, binary } = fitted.artefact
    expect((await load(fitted)).model).toMatchObject({ version: 'v7', sha256: manifest.binary.sha256, engine: 'lbfgs' })
    expect(exportJavaScript(manifest, binary)).toBe(exportJavaScript(manifest, binary))
  })

  it('takes features by name as in a list, and names the most probable class', async () => {
    const module = await load(fittedArtefact(classifiers[0]!, mixed))
    const byName = module.score({ size: 'size 3', weight: 9.5, shift: null, colour: 'green' })
    expect(byName).toEqual(module.score([9.5, 'green', null, 'size 3']))
    const most = Math.max(...Object.values(byName.probabilities))
    expect(byName.confidence).toBe(most)
    expect(byName.probabilities[byName.prediction]).toBe(most)
  })

  it('refuses features that are not what the model takes', async () => {
    const module = await load(fittedArtefact(classifiers[0]!, mixed))
    expect(() => module.score({ weight: 1, colour: 'red', shift: 2 })).toThrow('feature size is not given')
    expect(() => module.score([1, 'red', 2])).toThrow('there are 3 features and should be 4')
    expect(() => module.score(['1', 'red', 2, 'size 1'])).toThrow('feature weight is no number')
    expect(() => module.score(null as never)).toThrow(TypeError)
  })
})

it('refuses a model that could not be served', () => {
  const { artefact } = fittedArtefact(classifiers[6]!, two)
  const binary = artefact.binary.slice(8)
  expect(() => exportJavaScript(artefact.manifest, binary)).toThrow(ArtefactCorrupt)
})
