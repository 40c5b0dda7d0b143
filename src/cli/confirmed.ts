import { createInterface } from 'node:readline/promises'
import { AppError } from '../errors.ts'

type Terminal = {
  readonly input: NodeJS.ReadableStream
  readonly output: NodeJS.WritableStream
  /** Whether keys are read one by one, as from a terminal; without it that is found out. */
  readonly terminal?: boolean
}

/**
 * Asks a question on the terminal; whatever is not yes means no.
 * @throws AppError INTERRUPTED for Ctrl+C, or where the input ends
 */
export const confirmed = async (
  question: string,
  terminal: Terminal = { input: process.stdin, output: process.stderr },
): Promise<boolean> => {
  const lines = createInterface(terminal)
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim())
  } catch (error) {
    if (!(error instanceof Error && error.name === 'AbortError')) throw error
    throw new AppError('INTERRUPTED', 'no answer was given; nothing was done', { cause: error })
  } finally {
    lines.close()
  }
}
