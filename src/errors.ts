/** What every error of this project has: a stable code, whether the same step may be tried again, and the cause. */
export type AppErrorOptions = { retryable?: boolean; cause?: unknown }

/**
 * The base of all our errors. `code` is stable and is what programs, metrics and dead letters name;
 * the message says what was wrong, where, and what to do about it.
 */
export class AppError extends Error {
  readonly code: string
  readonly retryable: boolean

  constructor(code: string, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.retryable = options.retryable ?? false
  }
}

/** The configuration file or the environment cannot be used as it is. */
export class ConfigInvalid extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('CONFIG_INVALID', message, options)
  }
}

/** The message of anything that was thrown, with those of its causes that the messages before them do not tell. */
export const describeError = (error: unknown): string => {
  const messages: string[] = []
  const seen = new Set<unknown>()
  for (let part = error; !seen.has(part); part = part.cause) {
    seen.add(part)
    const message = part instanceof Error ? part.message : String(part)
    if (!messages.some((told) => told.includes(message))) messages.push(message)
    if (!(part instanceof Error) || part.cause === undefined) break
  }
  return messages.reduceRight((cause, message) => `${message} (caused by: ${cause})`)
}
