import type { DeadLetterReason } from './dead-letters.ts'
import type { RecordBatch, RecordSink } from './kafka-types.ts'

/** Records of a batch that became dead letters, by their place in the batch. */
export type FailedRecords = ReadonlyMap<number, DeadLetterReason>

/** Turns the records of a batch into rows. */
export type BatchReader<I> = {
  /** Fetches the schemas that the batch needs and that are not known yet. Rejects while the registry is down. */
  readonly prepare: (batch: RecordBatch) => Promise<void> | undefined
  /** Never waits. What it returned before may be gone. */
  readonly read: (batch: RecordBatch) => { readonly rows: I; readonly failures: FailedRecords }
}

/** Writes what a topology made of the rows of a batch. */
export type BatchWriter<I, O> = {
  /** @returns how many records it wrote, and the records of the batch that have none for a reason */
  readonly write: (
    rows: I,
    result: O,
    batch: RecordBatch,
    sink: RecordSink,
  ) => { readonly outputs: number; readonly failures: FailedRecords }
}
