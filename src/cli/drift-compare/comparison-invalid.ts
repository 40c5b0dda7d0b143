import { AppError, type AppErrorOptions } from '../../errors.ts'

/** Two files cannot be compared: one cannot be read, or their columns do not go together. */
export class ComparisonInvalid extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('COMPARISON_INVALID', message, options)
  }
}
