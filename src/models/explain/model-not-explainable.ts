import { AppError } from '../../errors.ts'

/** The contributions of features to this model's scores cannot be computed. The message says why, and of what they can. */
export class ModelNotExplainable extends AppError {
  constructor(message: string) {
    super('MODEL_NOT_EXPLAINABLE', message)
  }
}
