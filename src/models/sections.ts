import type { ArraySection } from './manifest.ts'
import { ArtefactCorrupt } from './model-errors.ts'

export type SectionArray = Float64Array | Int32Array | Uint8Array

/** An array of a model, by the name that its family gives it. */
export type NamedArray = { readonly name: string; readonly values: SectionArray }

/**
 * The arrays of a model, each checked as it is taken; those of a stored model are copied then, so that whoever holds
 * the bytes cannot change a loaded model. All of these throw ArtefactCorrupt.
 */
export type Sections = {
  readonly has: (name: string) => boolean
  /** Finite numbers of at most `PARAMETER_LIMIT` either way; exactly `length` of them if it is given. */
  readonly float64: (name: string, length?: number) => Float64Array
  /** Finite numbers or NaN, which stands for a missing value. */
  readonly samples: (name: string, length: number) => Float64Array
  readonly int32: (name: string, length?: number) => Int32Array
  readonly uint8: (name: string, length?: number) => Uint8Array
  /** The same without copies, for large arrays and for whoever copies what it keeps. */
  readonly borrowed: Sections
}

/** No parameter of a sound model comes near it; below it, no sum or product of a few of them overflows. */
export const PARAMETER_LIMIT = 1e100

const ALIGNMENT_BYTES = 8
const MAX_SECTION_LENGTH = 2 ** 31

const typeOf = (values: SectionArray): ArraySection['type'] => {
  if (values instanceof Float64Array) return 'float64'
  return values instanceof Int32Array ? 'int32' : 'uint8'
}

const bytesPerElement = { float64: 8, int32: 4, uint8: 1 } as const

/**
 * Lays arrays out one after another, each at a multiple of 8 bytes, zeros between them.
 * Numbers are in the machine's byte order, which x64 and arm64 share; on a machine with the other one a model is
 * refused, at the latest by its golden rows.
 */
export const packSections = (arrays: readonly NamedArray[]): { binary: Uint8Array; sections: ArraySection[] } => {
  const sections: ArraySection[] = []
  let end = 0
  for (const { name, values } of arrays) {
    const offset = Math.ceil(end / ALIGNMENT_BYTES) * ALIGNMENT_BYTES
    sections.push({ name, type: typeOf(values), offset, length: values.length })
    end = offset + values.byteLength
  }
  const binary = new Uint8Array(Math.ceil(end / ALIGNMENT_BYTES) * ALIGNMENT_BYTES)
  arrays.forEach(({ values }, i) => {
    binary.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), sections[i]!.offset)
  })
  return { binary, sections }
}

/** The place of the first value that is greater than the limit either way, or NaN, or -1. */
const firstBeyond = (values: Float64Array, limit: number): number => {
  for (let at = 0; at < values.length; at++) {
    // Written this way round so that NaN is found.
    if (!(Math.abs(values[at]!) <= limit)) return at
  }
  return -1
}

const readSections = (byName: ReadonlyMap<string, SectionArray>, copies: boolean): Omit<Sections, 'borrowed'> => {
  const take = <T extends SectionArray>(
    name: string,
    kind: { new (length: number): T; readonly name: string },
    length?: number,
  ): T => {
    const values = byName.get(name)
    if (values === undefined) throw new ArtefactCorrupt(`the model has no section '${name}'`)
    if (!(values instanceof kind)) throw new ArtefactCorrupt(`section '${name}' is no ${kind.name}`)
    if (length !== undefined && values.length !== length) {
      throw new ArtefactCorrupt(`section '${name}' has ${values.length} elements and should have ${length}`)
    }
    return copies ? (values.slice() as T) : values
  }

  return {
    has: (name) => byName.has(name),
    float64: (name, length) => {
      const values = take(name, Float64Array, length)
      const at = firstBeyond(values, PARAMETER_LIMIT)
      if (at >= 0) throw new ArtefactCorrupt(`section '${name}' holds ${values[at]} at ${at}: no parameter of a model`)
      return values
    },
    samples: (name, length) => {
      const values = take(name, Float64Array, length)
      const at = values.findIndex((value) => Math.abs(value) === Number.POSITIVE_INFINITY)
      if (at >= 0) throw new ArtefactCorrupt(`section '${name}' holds ${values[at]} at ${at}: no sample`)
      return values
    },
    int32: (name, length) => take(name, Int32Array, length),
    uint8: (name, length) => take(name, Uint8Array, length),
  }
}

const openSections = (arrays: readonly NamedArray[], copies: boolean): Sections => {
  const byName = new Map(arrays.map(({ name, values }) => [name, values]))
  const direct = readSections(byName, false)
  const borrowed: Sections = {
    ...direct,
    get borrowed() {
      return borrowed
    },
  }
  return copies ? { ...readSections(byName, true), borrowed } : borrowed
}

/** Gives access to the arrays of a fit by name. */
export const createSections = (arrays: readonly NamedArray[]): Sections => openSections(arrays, false)

const isCount = (value: number, limit: number): boolean => Number.isInteger(value) && value >= 0 && value <= limit

/**
 * The arrays that `sections` describe within `binary`.
 * @throws ArtefactCorrupt if a section is misplaced, overlaps another, or reaches beyond the end
 */
export const unpackSections = (binary: Uint8Array, sections: readonly ArraySection[]): Sections => {
  // A small Buffer may start at any byte of a larger one; a typed array may not.
  const { buffer, byteOffset, byteLength } = binary.byteOffset % ALIGNMENT_BYTES === 0 ? binary : new Uint8Array(binary)
  const names = new Set<string>()
  let end = 0
  const arrays = sections.map(({ name, type, offset, length }): NamedArray => {
    const bytes = length * bytesPerElement[type]
    const sound =
      isCount(length, MAX_SECTION_LENGTH) &&
      isCount(offset, byteLength) &&
      offset % ALIGNMENT_BYTES === 0 &&
      offset >= end &&
      offset + bytes <= byteLength
    if (!sound) {
      throw new ArtefactCorrupt(
        `section '${name}' (${length} of ${type} at byte ${offset}) does not lie between byte ${end} and the end of ` +
          `the binary, byte ${byteLength}, at a multiple of ${ALIGNMENT_BYTES}`,
      )
    }
    if (names.has(name)) throw new ArtefactCorrupt(`there are two sections '${name}'`)
    names.add(name)
    end = offset + bytes
    if (type === 'float64') return { name, values: new Float64Array(buffer, byteOffset + offset, length) }
    if (type === 'int32') return { name, values: new Int32Array(buffer, byteOffset + offset, length) }
    return { name, values: new Uint8Array(buffer, byteOffset + offset, length) }
  })
  return openSections(arrays, true)
}
