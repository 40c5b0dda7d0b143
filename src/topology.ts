/** A topic by its full name, with a phantom type for the values that it carries. */
export type TopicRef<T> = { readonly name: string; readonly value?: T }

/** Where a record came from: enough to find it again, and to give its output an identity. */
export type RecordSource = {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** Milliseconds since the epoch, as the broker reports it. */
  readonly timestamp: number
  readonly key: Uint8Array | null
}

/** The header in which a prediction record carries its identity. */
export const predictionIdHeader = 'driftline.prediction_id'

/** The identity of the one output of a source record; also the id of an event that names none. */
export const predictionIdOf = ({ topic, partition, offset }: Pick<RecordSource, 'topic' | 'partition' | 'offset'>) =>
  `${topic}-${partition}-${offset}`

/** The identity of a prediction that was asked for over HTTP. */
export const requestPredictionIdOf = (eventId: string): string => `http-${eventId}`

/** A record whose value could be decoded. */
export type Incoming<I> = { readonly source: RecordSource; readonly value: I }

/**
 * One step of the data's way: a value without a broker in it, so that a test needs none.
 * `process` takes the rows of one batch together and may keep nothing of them.
 */
export type Topology<I, O> = {
  readonly name: string
  readonly reads: readonly TopicRef<unknown>[]
  readonly writes: readonly TopicRef<unknown>[]
  readonly process: (rows: I) => O
}
