const FENCED: ReadonlySet<string | undefined> = new Set([
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_ID_MAPPING',
  'TRANSACTION_COORDINATOR_FENCED',
])

/**
 * Whether an error of Kafka says that somebody else initialised this transactional id, or that the broker gave its
 * transaction up.
 * @param name Kafka's name of the error, where it has one
 */
export const isFencingError = (name: string | undefined): boolean => FENCED.has(name)
