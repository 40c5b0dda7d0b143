import type { KafkaClient, OffsetRange, RecordBatch } from '../../kafka/kafka-types.ts'
import type { Opinion } from '../../models/compare/agreement.ts'
import { createLastWins } from './last-wins.ts'
import type { RowBlocks } from './merge-rows.ts'
import { pulledBlocks } from './pulled-blocks.ts'

/** What a model said of a source record. */
export type ScoredRow = Opinion & {
  /** Of the source record. */
  readonly offset: number
  readonly version: string
}

/** Where rows are read: one partition of a topic, with records about source records from `from` to before `to`. */
export type RowsPlace = {
  readonly client: Pick<KafkaClient, 'readRanges'>
  readonly topic: string
  readonly partition: number
  /** In the topic. */
  readonly range: OffsetRange
  /** In the source. */
  readonly from: number
  readonly to: number
  /** How far back a record may still replace one of the same source record. */
  readonly distance: number
}

/** What was left out on the way. */
export type RowsRemarks = {
  /** Records that came again, after those of much later source records: the first ones counted. */
  late: number
}

/**
 * The rows of one partition in the order of their source records, each source record once: the last one that was
 * written. Reading ends where the records are about source records far beyond the range.
 * @param rowsOf what the records of a batch say; it is waited for
 */
export async function* readRows<R extends { readonly offset: number }>(
  place: RowsPlace,
  rowsOf: (batch: RecordBatch) => Promise<readonly R[]> | readonly R[],
  remarks: RowsRemarks,
): RowBlocks<R> {
  const { client, topic, partition, range, from, to, distance } = place
  if (range.from >= range.to) return
  const window = createLastWins<R>(distance)
  const blocks = pulledBlocks<readonly R[]>((push, signal) =>
    client.readRanges({
      topic,
      ranges: new Map([[partition, range]]),
      process: async (batch) => {
        // The batch is gone once this settles, the rows are not.
        if (!signal.aborted) await push(await rowsOf(batch))
      },
      signal,
    }),
  )
  for await (const rows of blocks) {
    let isBeyond = false
    for (const row of rows) {
      if (row.offset >= to + distance) isBeyond = true
      else if (row.offset >= from && row.offset < to) window.add(row)
    }
    if (isBeyond) break
    yield window.settled()
  }
  remarks.late += window.late()
  yield window.rest()
}
