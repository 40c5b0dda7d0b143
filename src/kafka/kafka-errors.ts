import { AppError, type AppErrorOptions, describeError } from '../errors.ts'

/** A partition failed again and again without a record going through; the process has to be restarted. */
export class ConsumerFailed extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('CONSUMER_FAILED', message, options)
  }
}

/** Records wait and nothing has moved for too long: a handler or a request hangs. */
export class ConsumerStalled extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('CONSUMER_STALLED', message, options)
  }
}

/** The committed offset does not lie in the log, for instance because the topic was deleted and made again. */
export class PositionLost extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('POSITION_LOST', message, options)
  }
}

/** A stop took longer than it was allowed to. */
export class StopDeadlinePassed extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('STOP_DEADLINE_PASSED', message, options)
  }
}

/** Records could not be written; whether the same send may be tried again stands in `retryable`. */
export class SendFailed extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('SEND_FAILED', message, options)
  }
}

/**
 * A transaction was to be committed, and nobody knows whether it was. Its records must not be sent again as they are:
 * the producer is at its end, its id has to be opened again, and what is committed then has to be read first.
 */
export class CommitUncertain extends AppError {
  constructor(what: string, cause: unknown) {
    super(
      'COMMIT_UNCERTAIN',
      `it is not known whether ${what} was committed: ${describeError(cause)}. Open the id again and send only what is not there by then`,
      { cause },
    )
  }
}

/** No broker answers, or it answered with an error. */
export class KafkaUnavailable extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('KAFKA_UNAVAILABLE', message, { retryable: true, ...options })
  }
}

/** The broker refused our credentials, or we its certificate. Trying again does not help. */
export class KafkaAccessDenied extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('KAFKA_ACCESS_DENIED', message, options)
  }
}

/** What was asked for cannot work with these brokers, topics or settings. */
export class KafkaUnsuitable extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('KAFKA_UNSUITABLE', message, options)
  }
}

/** A compressed batch is damaged, or holds more than one may. Reading it again does not help. */
export class BatchUnreadable extends AppError {
  /** In kafkajs' spelling: without it the same batch is fetched again and again, and nobody hears of it. */
  readonly retriable = false

  constructor(message: string, options: AppErrorOptions = {}) {
    super('BATCH_UNREADABLE', message, options)
  }
}

/** The schema registry cannot be asked now. No reason to refuse a record: wait and ask again. */
export class SchemaRegistryUnavailable extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('SCHEMA_REGISTRY_UNAVAILABLE', message, { retryable: true, ...options })
  }
}

/** The schema registry refused a schema, for instance because older readers or records do not fit it. */
export class SchemaRefused extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('SCHEMA_REFUSED', message, options)
  }
}

/** Somebody else opened the same transactional id: this producer can write no more. */
export class ProducerFenced extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('PRODUCER_FENCED', message, options)
  }
}
