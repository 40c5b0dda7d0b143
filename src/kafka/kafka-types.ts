/** A record as it lies on a partition. */
export type RawRecord = {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: Readonly<Record<string, Uint8Array>>
}

/** A record to write. The partition is always named, so that a retry cannot move it. */
export type OutgoingRecord = {
  readonly topic: string
  readonly partition: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers?: Readonly<Record<string, Uint8Array | string>>
}

/** A record to write whose partition follows from its key (or is any, without a key). */
export type KeyedRecord = Omit<OutgoingRecord, 'partition'> & { readonly partition?: number }

export type RunningConsumer = {
  /** Finishes the batch at hand, commits, leaves the group. Rejects when `deadlineMs` has passed. */
  stop: (options?: { deadlineMs?: number }) => Promise<void>
  /** Settles when the consumer ended: resolves after `stop` or at the end of its bounds, rejects with what ended it. */
  readonly done: Promise<void>
}

/**
 * Records of one partition in the order of their offsets, as they lie in memory: no object per record. Key and value
 * are places in `bytes`. Valid until the handler that it was given to has settled; the arrays may be longer than
 * `length`.
 */
export type RecordBatch = {
  readonly topic: string
  readonly partition: number
  /** Records in the batch. */
  readonly length: number
  readonly bytes: Buffer
  /** Offsets in the partition; gaps are left by aborted and compacted records. Exact below 2^53. */
  readonly offsets: Float64Array
  /** Milliseconds since the epoch. */
  readonly timestamps: Float64Array
  /** First byte of each key in `bytes`; -1 where there is no key. */
  readonly keyStarts: Int32Array
  /** The byte after each key. */
  readonly keyEnds: Int32Array
  /** First byte of each value in `bytes`; -1 where there is no value. */
  readonly valueStarts: Int32Array
  readonly valueEnds: Int32Array
  /** The headers of one record; a name that stands there several times counts with its last value. */
  readonly headersOf: (index: number) => Readonly<Record<string, Uint8Array>>
}

/** Takes what one transaction writes. Bytes are copied at once: the caller may use its buffers again. */
export type RecordSink = {
  readonly add: (record: OutgoingRecord) => void
  /** The fast way in for many records of one partition that carry one header each. */
  readonly lane: (topic: string, partition: number, headerName: string) => RecordLane
}

export type RecordLane = {
  /**
   * Appends one record.
   * @param keyStart first byte of the key in `keyBytes`, or -1 for no key
   * @param scratch holds the value from `valueStart` to `valueEnd`, and the header's value from there to `headerEnd`
   */
  readonly append: (
    keyBytes: Buffer,
    keyStart: number,
    keyEnd: number,
    scratch: Buffer,
    valueStart: number,
    valueEnd: number,
    headerEnd: number,
  ) => void
}

/** What a consumer tells of its work, for metrics. Never waited for; must not throw. */
export type ConsumerObserver = {
  /** A reply to a fetch was read: its records were found, and decompressed where need be. */
  readonly fetched?: (fetch: { readonly records: number; readonly bytes: number; readonly ms: number }) => void
  /** A batch went through. `processMs` is the handler, `commitMs` the rest up to the reply to the commit. */
  readonly committed?: (batch: {
    readonly topic: string
    readonly partition: number
    readonly records: number
    /** Records that were written. */
    readonly outputs: number
    /** That it took: 0 where the transaction of another partition took it along. */
    readonly transactions: number
    readonly nextOffset: bigint
    readonly processMs: number
    readonly commitMs: number
  }) => void
  /** A batch did not go through; it is tried again from the committed offset. */
  readonly aborted?: (batch: { readonly topic: string; readonly partition: number; readonly code: string }) => void
  /** The group was joined anew. */
  readonly rebalanced?: (assignment: { readonly partitions: number; readonly revoked: number }) => void
}

/** Offsets of a partition: from the first one, included, to the last one, excluded. */
export type OffsetRange = { readonly from: bigint; readonly to: bigint }

export type ExactlyOnceOptions = {
  readonly group: string
  readonly topic: string
  /** Most records in one transaction. */
  readonly batchMaxRecords: number
  /** What `process` may take for one batch, which holds the process: the number of its records adapts to it. */
  readonly batchGoalMs: number
  readonly sessionTimeoutMs: number
  readonly transactionTimeoutMs: number
  /**
   * Writes to the sink what has to be written for the records of one partition. Called again with the same records
   * and an empty sink if the transaction did not commit; a failure ends the attempt, aborts and retries from the
   * committed offset.
   */
  readonly process: (batch: RecordBatch, sink: RecordSink) => Promise<void> | void
  /**
   * Where reading starts in a partition that the group has no offset of (the log's start without it), and where it
   * ends: `done` resolves once every partition of this map is committed up to `to`. Partitions that are not in the
   * map are not read.
   */
  readonly bounds?: ReadonlyMap<number, OffsetRange>
  readonly observer?: ConsumerObserver
}

export type AtLeastOnceOptions = {
  readonly group: string
  readonly topics: readonly string[]
  readonly sessionTimeoutMs: number
  /**
   * Handles one batch of one partition. What it returns is committed after it resolves: `true` for the whole batch,
   * or the next offset to read (a reader that must see rows again after a restart returns an older one).
   */
  readonly process: (records: readonly RawRecord[]) => Promise<true | bigint>
  readonly observer?: ConsumerObserver
}

export type RangeReadOptions = {
  readonly topic: string
  /** By partition; an offset that the log no longer holds is moved to the first one that it holds. */
  readonly ranges: ReadonlyMap<number, OffsetRange>
  /** Handles one batch of one partition; partitions come in any order, batches of a partition in theirs. */
  readonly process: (batch: RecordBatch) => Promise<void> | void
  readonly signal?: AbortSignal
}

/** Writes transactions under one id. Whoever opens the same id later fences this one. */
export type TransactionalProducer = {
  /**
   * Writes the records in one transaction; they are visible all or not at all. A failure of which the outcome is not
   * known ends the producer: open it again and look at what is committed.
   * @throws SendFailed, CommitUncertain, ProducerFenced
   */
  readonly commit: (records: readonly OutgoingRecord[]) => Promise<void>
  readonly close: () => Promise<void>
}

export type PlainProducer = {
  /** Resolves when all in-sync replicas have the records (acks=all, idempotent). Returns where they went, in order. */
  send: (records: readonly KeyedRecord[]) => Promise<{ topic: string; partition: number; offset: bigint | null }[]>
  close: () => Promise<void>
}

export type TopicSpec = {
  readonly name: string
  readonly partitions: number
  readonly replicationFactor: number
  readonly config?: Readonly<Record<string, string>>
}

export type LogEnd = 'stable-end' | 'end'

export type KafkaAdmin = {
  /** Creates what is missing; leaves what exists as it is. */
  ensureTopics: (topics: readonly TopicSpec[]) => Promise<void>
  partitionsOf: (topic: string) => Promise<number>
  /** What a topic is configured with, defaults included: `max.message.bytes` and the like. */
  topicConfig: (topic: string) => Promise<ReadonlyMap<string, string>>
  /**
   * The offsets that the log holds: from its start to the last stable offset, or to its end with what open transactions
   * have written. A transaction that was just committed still counts as open until its marker is in the partition.
   */
  offsetRanges: (topic: string, to?: LogEnd) => Promise<Map<number, OffsetRange>>
  /** The first offset by partition whose record has this timestamp (ms since the epoch) or a later one; the log's end where none has. */
  offsetsAt: (topic: string, timestampMs: number) => Promise<Map<number, bigint>>
  /** Log end minus committed offset, by partition. */
  consumerLag: (group: string, topic: string) => Promise<Map<number, bigint>>
  /** Rejects when no broker answers in time. */
  ping: () => Promise<void>
  close: () => Promise<void>
}

/** All that the rest of the house knows of a Kafka client. Every implementation passes the same contract suite. */
export type KafkaClient = {
  /**
   * Reads a topic, writes the outputs and commits the input offsets in one transaction per batch and partition.
   * The order on getting a partition: fence (initialise that partition's transactional producer), read the stable
   * committed offset, then process. After any failed step: drop the producer, fence again, read the offset again.
   */
  runExactlyOnce: (options: ExactlyOnceOptions) => Promise<RunningConsumer>
  runAtLeastOnce: (options: AtLeastOnceOptions) => Promise<RunningConsumer>
  /**
   * Reads ranges of a topic without a group; committed records only. Resolves when all of them were handled.
   * @throws KafkaUnavailable, and what `process` throws
   */
  readRanges: (options: RangeReadOptions) => Promise<void>
  producer: () => Promise<PlainProducer>
  /** Opens a transactional id: what an older owner left open is aborted, and it can write no more. */
  transactionalProducer: (options: {
    readonly transactionalId: string
    readonly transactionTimeoutMs: number
  }) => Promise<TransactionalProducer>
  admin: () => Promise<KafkaAdmin>
}
