import { AppError } from '../../errors.ts'

/** A replay that was begun, or that is asked for, does not fit: the message says what to do. */
export class ReplayRefused extends AppError {
  constructor(message: string) {
    super('REPLAY_REFUSED', message)
  }
}
