import { createHash } from 'node:crypto'
import fc from 'fast-check'
import type { ArraySection, ModelArtefact } from '../../src/models/manifest.ts'

/** A manifest that may be anything by now. */
type Draft = { manifest: unknown; binary: Uint8Array }

/** Changes a stored model in one way. */
export type Mutation = (draft: Draft) => Draft

type Place = readonly (string | number)[]

const HOSTILE_NUMBERS = [
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 1, -1, 0.5, 1 + 1e-9, 2, 255, 256],
  ...[5e-324, -5e-324, 1e-310, 1e-100, 1e100, -1e100, 1.1e100, 1e308, -1e308, 2 ** 31, 2 ** 32, 2 ** 53],
]
const HOSTILE_INTEGERS = [-(2 ** 31), -2, -1, 0, 1, 2, 3, 4, 7, 8, 16, 31, 32, 255, 256, 2 ** 20, 2 ** 30, 2 ** 31 - 1]

const placesIn = (value: unknown, path: Place = []): Place[] => {
  if (typeof value !== 'object' || value === null) return [path]
  const inner = Object.entries(value).flatMap(([key, child]) => placesIn(child, [...path, key]))
  return path.length === 0 ? inner : [path, ...inner]
}

const holderOf = (root: unknown, place: Place): object | null => {
  const holder = place
    .slice(0, -1)
    .reduce<unknown>((node, key) => (typeof node === 'object' && node !== null ? Reflect.get(node, key) : null), root)
  return typeof holder === 'object' && holder !== null ? holder : null
}

/** Changes the manifest at a place that may be gone by now. */
const at =
  (place: Place, change: (holder: object, key: string | number) => void): Mutation =>
  ({ manifest, binary }) => {
    const changed = structuredClone(manifest)
    const holder = holderOf(changed, place)
    if (holder !== null) change(holder, place.at(-1)!)
    return { manifest: changed, binary }
  }

const jsonNumbers = fc.oneof(fc.constantFrom(...HOSTILE_NUMBERS, ...HOSTILE_INTEGERS), fc.double())

/** Replaces, drops, repeats or swaps what stands somewhere in the manifest. */
const inManifest = ({ manifest }: ModelArtefact): fc.Arbitrary<Mutation> => {
  const places = placesIn(manifest)
  const place = fc.constantFrom(...places)
  return fc.oneof(
    fc
      .tuple(place, fc.oneof(jsonNumbers, fc.jsonValue(), fc.constantFrom(null, '', 'svm', 'forest', 'platt', [])))
      .map(([where, value]) => at(where, (holder, key) => Reflect.set(holder, key, value))),
    place.map((where) => at(where, (holder, key) => void Reflect.deleteProperty(holder, key))),
    place.map((where) =>
      at(where, (holder, key) => {
        const list = Reflect.get(holder, key)
        if (Array.isArray(list)) list.push(structuredClone(list.at(-1) ?? 0))
      }),
    ),
    place.map((where) =>
      at(where, (holder, key) => {
        const list = Reflect.get(holder, key)
        if (Array.isArray(list)) list.pop()
      }),
    ),
    fc.tuple(place, place).map(
      ([from, to]): Mutation =>
        (draft) => {
          const source = holderOf(draft.manifest, from)
          const value = source === null ? null : structuredClone(Reflect.get(source, from.at(-1)!))
          return at(to, (holder, key) => Reflect.set(holder, key, value))(draft)
        },
    ),
  )
}

/** What decides how the rest is read: the family, the kind, the classes, the columns, the calibration. */
const inMeaning = ({ manifest }: ModelArtefact): fc.Arbitrary<Mutation> => {
  const set = (path: Place, values: readonly unknown[]): fc.Arbitrary<Mutation> =>
    fc.constantFrom(...values).map((value) => at(path, (holder, key) => Reflect.set(holder, key, value)))
  const scores = { log_loss: 0, brier_score: 0, calibration_error: 0 }
  const { mean = [], scale = [] } = manifest.standardiser ?? {}
  return fc.oneof(
    set(['family'], ['forest', 'svm', 'logistic', 'ridge']),
    set(['kind'], ['classification', 'regression']),
    set(['classes'], [[], ['a'], ['a', 'b'], ['a', 'b', 'c'], Array.from({ length: 300 }, (_, i) => `${i}`)]),
    set(['calibration'], [null, ...['platt', 'isotonic'].map((method) => ({ method, before: scores, after: scores }))]),
    set(['standardiser'], [null, { mean: [...mean, 0], scale: [...scale, 1] }, { mean: mean.map(() => 1e300), scale }]),
    set(
      ['standardiser'],
      [5e-324, 1e300, 1e-300].map((value) => ({ mean, scale: scale.map(() => value) })),
    ),
    set(
      ['categories'],
      [[['a', 'b'], [], [], []], manifest.categories.map(() => []), manifest.categories.map(() => ['x'])],
    ),
  )
}

const sectionsOf = (manifest: unknown): ArraySection[] => {
  const sections = (manifest as ModelArtefact['manifest'])?.binary?.sections
  if (!Array.isArray(sections)) return []
  // Another change may have put anything in their place.
  return sections.every((section) => typeof section === 'object' && section !== null) ? sections : []
}

/** Puts other values into one section, as its type says. */
const inSection = ({ manifest }: ModelArtefact): fc.Arbitrary<Mutation> =>
  fc
    .tuple(
      fc.constantFrom(...manifest.binary.sections),
      fc.array(fc.tuple(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.nat(63), fc.boolean()), {
        minLength: 1,
        maxLength: 4,
      }),
      fc.double(),
    )
    .map(
      ([{ type, offset, length }, changes, other]): Mutation =>
        (draft) => {
          if (length === 0 || draft.binary.byteLength < offset + length) return draft
          const binary = draft.binary.slice()
          const view = new DataView(binary.buffer)
          for (const [share, choice, near] of changes) {
            const index = Math.floor(share * length)
            const fromList = (list: readonly number[]): number => list[choice % list.length]!
            if (type === 'float64' && offset + 8 * index + 8 <= binary.byteLength) {
              const before = view.getFloat64(offset + 8 * index, true)
              const value = near ? before * (1 + 1e-7) : choice < 40 ? fromList(HOSTILE_NUMBERS) : other
              view.setFloat64(offset + 8 * index, value, true)
            } else if (type === 'int32' && offset + 4 * index + 4 <= binary.byteLength) {
              const before = view.getInt32(offset + 4 * index, true)
              const value = near ? before + (choice % 9) - 4 : fromList(HOSTILE_INTEGERS)
              view.setInt32(offset + 4 * index, value, true)
            } else if (type === 'uint8' && offset + index < binary.byteLength) {
              view.setUint8(offset + index, choice * 4)
            }
          }
          return { ...draft, binary }
        },
    )

/** Flips bits, moves and cuts bytes, without regard for what they are. */
const inBytes = ({ binary: { byteLength } }: ModelArtefact): fc.Arbitrary<Mutation> => {
  const place = fc.nat(Math.max(0, byteLength - 1))
  return fc.oneof(
    fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 24 })).map(
      ([from, bytes]): Mutation =>
        (draft) => {
          const binary = draft.binary.slice()
          binary.set(bytes.subarray(0, Math.max(0, binary.length - from)), Math.min(from, binary.length))
          return { ...draft, binary }
        },
    ),
    fc.tuple(place, place, fc.nat(256)).map(
      ([from, to, length]): Mutation =>
        (draft) => {
          const binary = draft.binary.slice()
          return { ...draft, binary: binary.copyWithin(to, from, from + length) }
        },
    ),
    place.map(
      (length): Mutation =>
        (draft) => ({ ...draft, binary: draft.binary.slice(0, length) }),
    ),
    fc.uint8Array({ minLength: 1, maxLength: 40 }).map(
      (more): Mutation =>
        (draft) => ({
          ...draft,
          binary: Uint8Array.from([...draft.binary, ...more]),
        }),
    ),
  )
}

/** Changes where sections lie, what they are and what they are called. */
const inLayout = (artefact: ModelArtefact): fc.Arbitrary<Mutation> => {
  const count = artefact.manifest.binary.sections.length
  const names = artefact.manifest.binary.sections.map(({ name }) => name)
  const change = (edit: (sections: ArraySection[]) => void): Mutation => {
    return ({ manifest, binary }) => {
      const changed = structuredClone(manifest)
      edit(sectionsOf(changed))
      return { manifest: changed, binary }
    }
  }
  const index = fc.nat(count - 1)
  const numbers = fc.oneof(fc.constantFrom(...HOSTILE_INTEGERS), fc.nat(artefact.binary.byteLength))
  return fc.oneof(
    fc
      .tuple(index, fc.constantFrom('offset', 'length'), numbers)
      .map(([i, key, value]) => change((sections) => sections[i] && Reflect.set(sections[i], key, value))),
    fc
      .tuple(index, fc.constantFrom('name', 'type'), fc.constantFrom('float64', 'int32', 'uint8', ...names))
      .map(([i, key, value]) => change((sections) => sections[i] && Reflect.set(sections[i], key, value))),
    index.map((i) => change((sections) => void sections.splice(i, 1))),
    fc.tuple(index, index).map(([i, j]) =>
      change((sections) => {
        const [a, b] = [sections[i], sections[j]]
        if (a === undefined || b === undefined) return
        Object.assign(a, { offset: b.offset, length: b.length })
      }),
    ),
    fc.tuple(index, fc.integer({ min: -3, max: 3 })).map(([i, more]) =>
      change((sections) => {
        const section = sections[i]
        if (section !== undefined) section.length += more
      }),
    ),
  )
}

/** One to three changes of a stored model, of every kind. */
export const mutationsOf = (artefact: ModelArtefact): fc.Arbitrary<Mutation[]> =>
  fc.array(
    fc.oneof(
      { weight: 3, arbitrary: inManifest(artefact) },
      { weight: 2, arbitrary: inMeaning(artefact) },
      { weight: 5, arbitrary: inSection(artefact) },
      { weight: 2, arbitrary: inBytes(artefact) },
      { weight: 2, arbitrary: inLayout(artefact) },
    ),
    { minLength: 1, maxLength: 3 },
  )

/** Applies the changes, then mends size and digest, so that the damage reaches what is behind them. */
export const mutate = (artefact: ModelArtefact, mutations: readonly Mutation[]): Draft => {
  const { manifest, binary } = mutations.reduce<Draft>((draft, mutation) => mutation(draft), artefact)
  const changed = structuredClone(manifest)
  const about = (changed as ModelArtefact['manifest'] | null)?.binary
  if (typeof about === 'object' && about !== null) {
    about.bytes = binary.byteLength
    about.sha256 = createHash('sha256').update(binary).digest('hex')
  }
  return { manifest: changed, binary }
}
