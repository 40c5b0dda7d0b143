import { expect, test, vi } from 'vitest'
import { exitCodes, reportFailure } from '../../../src/cli/exit-codes.ts'
import { RoleFailed } from '../../../src/cli/supervisor/role-failed.ts'
import { ConfigInvalid } from '../../../src/errors.ts'

/** What is printed for an error, and the exit code. */
const report = (error: unknown): { code: number; lines: string[] } => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  try {
    const code = reportFailure(error)
    return { code, lines: print.mock.calls.map((call) => call.map(String).join(' ')) }
  } finally {
    print.mockRestore()
  }
}

const refused = (code: string, message: string) =>
  Object.assign(new Error(message), { code, syscall: 'write', errno: -28 })

test('what the operating system refuses is one line with a remedy', () => {
  expect(report(refused('ENOSPC', 'ENOSPC: no space left on device, write'))).toEqual({
    code: exitCodes.failed,
    lines: ['driftline: ENOSPC: no space left on device, write: make room there'],
  })
  expect(report(refused('EXDEV', 'EXDEV: cross-device link')).lines).toEqual([
    'driftline: EXDEV: cross-device link: see whether it is there and can be used',
  ])
})

test('errors of ours are one line, defects have their stack', () => {
  expect(report(new ConfigInvalid('--x is wrong'))).toEqual({
    code: exitCodes.usage,
    lines: ['driftline: --x is wrong'],
  })
  const { code, lines } = report(new TypeError('x is undefined'))
  expect(code).toBe(exitCodes.failed)
  expect(lines[0]).toContain('an unexpected error')
})

test('a process of ours that could not start hands on its exit code, and no other', () => {
  const code = (exitCode: number | null) => report(new RoleFailed('the role score-1 ended', { exitCode })).code
  expect([exitCodes.usage, exitCodes.missing, exitCodes.unreachable].map(code)).toEqual([2, 3, 4])
  // Done before it was ready; what Node and shells end with; a signal.
  expect([exitCodes.done, 9, 137, null].map(code)).toEqual([1, 1, 1, 1])
})
