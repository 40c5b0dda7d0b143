import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  assembleModule,
  type Code,
  doWhile,
  f64,
  get,
  i32,
  select,
  set,
  tee,
} from '../../../../src/models/forest/kernel/wasm-code.ts'

const memory = new WebAssembly.Memory({ initial: 3 })

/** Runs a function of two numbers, and a third local, whose body is `statements` and then `value`. */
const run = (statements: readonly Code[], value: Code, a = 0, b = 0): number => {
  const body = [...statements, value]
  const module = new WebAssembly.Module(assembleModule([{ name: 'run', parameters: 2, results: 1, locals: 1, body }]))
  const { exports } = new WebAssembly.Instance(module, { host: { memory } })
  return (exports as { run: (a: number, b: number) => number }).run(a, b)
}

const edges = [0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, -8192, -8193, 2 ** 31 - 1, -(2 ** 31)]
const anInteger = fc.oneof(fc.constantFrom(...edges), fc.integer())

it('writes whole numbers of any size', () => {
  fc.assert(
    fc.property(anInteger, (value) => {
      expect(run([], i32.const(value))).toBe(value)
    }),
    { seed: 1, numRuns: 200 },
  )
})

it('computes with 32-bit numbers as JavaScript does', () => {
  fc.assert(
    fc.property(anInteger, anInteger, (a, b) => {
      const results = [i32.add, i32.sub, i32.mul, i32.and, i32.or, i32.xor, i32.equal, i32.below, i32.notBelow].map(
        (operation) => run([], operation(get(0), get(1)), a, b),
      )
      const unsigned = [a >>> 0, b >>> 0] as const
      const below = unsigned[0] < unsigned[1]
      expect(results).toEqual([
        ...[(a + b) | 0, (a - b) | 0, Math.imul(a, b), a & b, a | b, a ^ b],
        ...[Number(a === b), Number(below), Number(!below)],
      ])
      expect(run([], i32.shl(get(0), 7), a)).toBe(a << 7)
      expect(run([], select(get(0), i32.const(5), i32.const(6)), a)).toBe(a === 0 ? 6 : 5)
    }),
    { seed: 1, numRuns: 50 },
  )
})

it('reads and writes memory at an address and an offset', () => {
  const offset = 70_000
  new Float64Array(memory.buffer, offset + 16, 2).set([1.5, Number.NaN])
  const at = (place: number): Code => f64.load(i32.add(get(0), i32.const(place)), offset)
  expect(run([], f64.atMost(at(0), at(0)), 16)).toBe(1)
  expect(run([], f64.atMost(at(0), at(8)), 16)).toBe(0)
  expect(run([], f64.atMost(at(8), at(0)), 16)).toBe(0)
  expect([run([], f64.isNaN(at(0)), 16), run([], f64.isNaN(at(8)), 16)]).toEqual([0, 1])
  run([f64.store(get(0), f64.add(at(0), at(0)), offset + 8)], i32.const(0), 16)
  expect([...new Float64Array(memory.buffer, offset + 16, 2)]).toEqual([1.5, 3])
  expect(run([], i32.load(get(0), offset + 4), 16)).toBe(0x3ff80000)
})

it('runs a loop once, and on while its condition holds', () => {
  const count = doWhile(
    [set(2, i32.add(get(2), i32.const(1)))],
    i32.below(tee(0, i32.add(get(0), i32.const(1))), get(1)),
  )
  expect(run([count], get(2), 0, 1)).toBe(1)
  expect(run([count], get(2), 0, 1000)).toBe(1000)
  expect(run([count], get(2), 9, 3)).toBe(1)
})
