import { AppError, type AppErrorOptions } from '../../errors.ts'

/** What a message quotes of a file may be as long as the file. */
const MAX_MESSAGE_LENGTH = 1000

/** A file is no ONNX model that can be used here: the message says what, where, and what to do instead. */
export class OnnxRefused extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('ONNX_REFUSED', message.slice(0, MAX_MESSAGE_LENGTH), options)
  }
}

/** A model cannot be written as ONNX or JavaScript: the message names the part that cannot. */
export class ExportRefused extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('EXPORT_REFUSED', message, options)
  }
}
