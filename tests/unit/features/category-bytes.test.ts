import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createCategoryBytes } from '../../../src/features/category-bytes.ts'
import { categoryCode } from '../../../src/features/category-code.ts'

const codeIn = (categories: readonly string[], name: string): number => {
  const bytes = Buffer.concat([Buffer.from('before'), Buffer.from(name), Buffer.from('after')])
  return createCategoryBytes(categories)(bytes, 6, bytes.length - 5)
}

it('gives the code that the name has as text', () => {
  const names = fc.oneof(
    fc.string({ maxLength: 3 }),
    fc.string({ unit: 'grapheme', maxLength: 4 }),
    fc.constantFrom('', 'a', 'b', 'ab', 'ba'),
  )
  fc.assert(
    fc.property(fc.uniqueArray(names, { maxLength: 40 }), names, (categories, other) => {
      for (const name of [...categories, other]) expect(codeIn(categories, name)).toBe(categoryCode(categories, name))
    }),
    { seed: 3 },
  )
})

it('tells names apart that share a beginning, among many', () => {
  const categories = Array.from({ length: 500 }, (_, i) => `category ${i}`)
  categories.forEach((name, code) => {
    expect(codeIn(categories, name)).toBe(code)
  })
  expect(codeIn(categories, 'category')).toBe(500)
  expect(codeIn(categories, 'category 5000')).toBe(500)
})

it('knows no half of a character, which no event can name', () => {
  const halves = ['\ud800', 'x']
  expect(codeIn(halves, '\ufffd')).toBe(2)
  expect(codeIn(halves, 'x')).toBe(1)
})

it('knows nothing where there are no categories', () => {
  expect(codeIn([], 'x')).toBe(0)
})
