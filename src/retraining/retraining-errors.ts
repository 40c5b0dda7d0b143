import { AppError, type AppErrorOptions } from '../errors.ts'

/** The queue's Redis did not take the command in time. */
export class RetrainQueueUnavailable extends AppError {
  constructor(message: string, options: AppErrorOptions = {}) {
    super('RETRAIN_QUEUE_UNAVAILABLE', message, { retryable: true, ...options })
  }
}

/** Redis may throw keys away when its memory is full, and with them jobs and locks. */
export class RedisEvicts extends AppError {
  constructor(policy: string) {
    super(
      'REDIS_EVICTS',
      `Redis has maxmemory-policy ${policy} and so may drop retraining jobs when its memory is full; ` +
        'set it to noeviction (redis-cli CONFIG SET maxmemory-policy noeviction, or in redis.conf)',
    )
  }
}

/** What lies in the queue is no request for a retraining. */
export class RetrainRequestInvalid extends AppError {
  constructor(message: string) {
    super('RETRAIN_REQUEST_INVALID', message)
  }
}
