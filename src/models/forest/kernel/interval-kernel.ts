import { assembleModule, type Code, doWhile, f64, get, i32, i64, set, tee, type WasmFunction } from './wasm-code.ts'

/**
 * A feature in the kernel's table, 3 int32: where its value stands in a row, in bytes; where its bounds lie; half of
 * the bytes of its bounds. There are a power of two of bounds, the first of which is not read. Behind them lie as many
 * places of 8 bytes, whose first word says where the masks of an interval lie.
 */
export const FEATURE_WORDS = 3
const FEATURE_BYTES = 12
const VALUE_BYTE = 0
const BOUNDS_BYTE = 4
const HALF_BYTE = 8

/** Leaves in a mask. */
export const MASK_LEAVES = 64
export const MASK_BYTES = 8
/** Each mask has as many places of leaves as it has bits, and one for a mask without any. */
export const MASK_PLACES = MASK_LEAVES + 1
const PLACE_BYTES = 4
const FLOAT_BYTES = 8

/** Masks in one turn of the loop; there must be a multiple of it. */
export const UNROLLED_MASKS = 4

/** Places are byte addresses in the kernel's memory. */
export type IntervalKernel = {
  /**
   * Adds the leaves of all trees to the sums of rows, mask by mask.
   * @param features their table
   * @param places where the leaves of each mask lie
   */
  readonly addRows: (
    rows: number,
    rowsEnd: number,
    rowBytes: number,
    features: number,
    places: number,
    placesEnd: number,
    sums: number,
  ) => void
}

const range = (length: number): number[] => Array.from({ length }, (_, i) => i)
const advance = (local: number, by: Code): Code => set(local, i32.add(get(local), by))

const addRows = (features: number, outputs: number): WasmFunction => {
  const [rows, rowsEnd, rowBytes, table, places, placesEnd, sums] = [0, 1, 2, 3, 4, 5, 6]
  const [bound, half, size, place, leaf] = [7, 8, 9, 10, 11]
  const masks = range(features).map((feature) => 12 + feature)
  const value = 12 + features
  const sum = range(outputs).map((output) => value + 1 + output)

  /** How many bounds the value is above, found by halving, gives the interval; NaN is above all. */
  const findInterval = (feature: number): Code[] => {
    const ofFeature = (byte: number): Code => i32.load(get(table), feature * FEATURE_BYTES + byte)
    const isAtMost = f64.atMost(get(value), f64.load(i32.add(get(bound), get(half)), 0))
    return [
      set(value, f64.load(i32.add(get(rows), ofFeature(VALUE_BYTE)), 0)),
      set(bound, ofFeature(BOUNDS_BYTE)),
      set(half, ofFeature(HALF_BYTE)),
      set(size, i32.add(get(half), get(half))),
      doWhile(
        [advance(bound, i32.and(get(half), i32.sub(isAtMost, i32.const(1)))), set(half, i32.shiftRight(get(half), 1))],
        i32.notBelow(get(half), i32.const(FLOAT_BYTES)),
      ),
      set(masks[feature]!, i32.load(i32.add(get(bound), get(size)), 0)),
    ]
  }

  const addLeaf = (turn: number): Code[] => {
    const left = masks.map((mask) => i64.load(get(mask), turn * MASK_BYTES)).reduce((a, b) => i64.and(a, b))
    const placeOfLeaf = i32.add(get(place), i32.shl(i64.trailingZeros(left), 2))
    return [
      set(leaf, i32.load(placeOfLeaf, turn * MASK_PLACES * PLACE_BYTES)),
      ...sum.map((one, output) => set(one, f64.add(get(one), f64.load(get(leaf), output * FLOAT_BYTES)))),
    ]
  }

  const addRow = [
    ...range(features).flatMap(findInterval),
    ...sum.map((one, output) => set(one, f64.load(get(sums), output * FLOAT_BYTES))),
    set(place, get(places)),
    doWhile(
      [
        ...range(UNROLLED_MASKS).flatMap(addLeaf),
        ...masks.map((mask) => advance(mask, i32.const(UNROLLED_MASKS * MASK_BYTES))),
      ],
      i32.below(tee(place, i32.add(get(place), i32.const(UNROLLED_MASKS * MASK_PLACES * PLACE_BYTES))), get(placesEnd)),
    ),
    ...sum.map((one, output) => f64.store(get(sums), get(one), output * FLOAT_BYTES)),
    advance(sums, i32.const(outputs * FLOAT_BYTES)),
  ]
  return {
    ...{ name: 'addRows', parameters: 7, results: 0, locals: 5 + features, floats: 1 + outputs },
    body: [doWhile(addRow, i32.below(tee(rows, i32.add(get(rows), get(rowBytes))), get(rowsEnd)))],
  }
}

const modules = new Map<string, WebAssembly.Module>()

/** The code for a forest that reads so many features, over a memory of its own. It reads and writes nothing else. */
export const openIntervalKernel = (features: number, outputs: number, memory: WebAssembly.Memory): IntervalKernel => {
  const key = `${features} ${outputs}`
  const module = modules.get(key) ?? new WebAssembly.Module(assembleModule([addRows(features, outputs)]))
  modules.set(key, module)
  return new WebAssembly.Instance(module, { host: { memory } }).exports as unknown as IntervalKernel
}
