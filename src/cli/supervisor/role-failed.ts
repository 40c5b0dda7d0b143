import { AppError } from '../../errors.ts'

/** The process of a role ended, or was ended, before it was ever ready: starting it again would not help. */
export class RoleFailed extends AppError {
  /** What it ended with by itself; null where a signal ended it, or it was not ready in time. */
  readonly exitCode: number | null

  constructor(message: string, { exitCode }: { exitCode: number | null }) {
    super('ROLE_FAILED', message)
    this.exitCode = exitCode
  }
}
