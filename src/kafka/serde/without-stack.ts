/**
 * Makes an attempt whose failure is told by its message alone. The stack is the dearest part of an error: without it a
 * flood of values that cannot be read costs a fraction.
 */
export const withoutStack = <T>(attempt: () => T): T => {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return attempt()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}
