import type { RecordBatch } from '../kafka-types.ts'

export type Committed = {
  /** Records that were written. */
  readonly records: number
  /** That it took: 0 where the transaction of another partition took it along. */
  readonly transactions: number
}

/** What is done with the records of one partition. */
export type PartitionWork = {
  /** Makes the partition ready and tells the offset to go on from. Called at first and after each failure. */
  readonly start: () => Promise<bigint>
  /** The first offset that the log holds, where the position is before it. @throws PositionLost where it is behind it */
  readonly logStart: (position: bigint) => Promise<bigint>
  /** Where it rejects with a retryable AppError the same records are handed in again. */
  readonly process: (batch: RecordBatch) => Promise<void> | void
  /** Commits what was processed. `nextOffset` is the offset after it. */
  readonly commit: (nextOffset: bigint) => Promise<Committed>
  /**
   * How long to leave records where they are, because a commit would only wait, in milliseconds; 0 or less where they
   * should be taken now. `wake` is called if it is time sooner.
   */
  readonly restMs: (backlog: number, wake: () => void) => number
  /** Whether the offset may be committed that lies behind records that are not for us. */
  readonly mayCommitIdle: () => boolean
  /** Lets go of what `start` made ready. Never rejects, never waits for a broker. */
  readonly release: () => void
}
