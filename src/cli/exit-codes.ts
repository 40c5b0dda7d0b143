import { AppError, describeError } from '../errors.ts'
import { RoleFailed } from './supervisor/role-failed.ts'

/** What a command ends with. Documented in docs/configuration.md and in `driftline --help`. */
export const exitCodes = { done: 0, failed: 1, usage: 2, missing: 3, unreachable: 4, interrupted: 130 } as const

const byCode: Record<string, number> = {
  CONFIG_INVALID: exitCodes.usage,
  COMPARISON_INVALID: exitCodes.usage,
  REPLAY_REFUSED: exitCodes.usage,
  TOOL_MISSING: exitCodes.missing,
  SERVER_UNREACHABLE: exitCodes.unreachable,
  KAFKA_UNAVAILABLE: exitCodes.unreachable,
  SCHEMA_REGISTRY_UNAVAILABLE: exitCodes.unreachable,
  SWAP_SIGNAL_UNAVAILABLE: exitCodes.unreachable,
  RETRAIN_QUEUE_UNAVAILABLE: exitCodes.unreachable,
  INTERRUPTED: exitCodes.interrupted,
}

const remedies: Record<string, string> = {
  ENOSPC: 'make room there',
  EDQUOT: 'make room there',
  EACCES: 'let this user use it, or name another place',
  EPERM: 'let this user use it, or name another place',
  EROFS: 'name a place that can be written to',
  EMFILE: 'allow more open files (ulimit -n)',
}

const failures: ReadonlySet<number> = new Set(Object.values(exitCodes).filter((code) => code !== exitCodes.done))

/** What a process of ours ended with stands for the error in it; others are codes of Node's, or of a shell. */
const codeOf = (error: AppError): number => {
  if (error instanceof RoleFailed && error.exitCode !== null && failures.has(error.exitCode)) return error.exitCode
  return byCode[error.code] ?? exitCodes.failed
}

/** What the operating system refused, such as a write to a full disk: no defect of ours. */
const isRefusedBySystem = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string'

/** Prints what went wrong, for a person, and returns the exit code of it. */
export const reportFailure = (error: unknown): number => {
  if (error instanceof AppError) {
    console.error(`driftline: ${describeError(error)}`)
    return codeOf(error)
  }
  if (isRefusedBySystem(error)) {
    console.error(
      `driftline: ${error.message}: ${remedies[error.code ?? ''] ?? 'see whether it is there and can be used'}`,
    )
    return exitCodes.failed
  }
  // Not one of ours: a defect, so the stack is what helps.
  console.error('driftline: an unexpected error; please report it with this text\n', error)
  return exitCodes.failed
}
