import { expect, it } from 'vitest'
import { withoutStack } from '../../../../src/kafka/serde/without-stack.ts'

it('leaves out the stack of what the attempt throws, and of nothing else', () => {
  const limit = Error.stackTraceLimit
  const failing = () => withoutStack(() => JSON.parse('{'))
  expect(failing).toThrow(SyntaxError)
  expect(failing).toThrow(expect.objectContaining({ stack: expect.not.stringContaining('\n') }))
  expect(withoutStack(() => 5)).toBe(5)
  expect(Error.stackTraceLimit).toBe(limit)
  expect(new Error('after').stack).toContain('without-stack.test.ts')
})
