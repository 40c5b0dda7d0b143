import type { Config } from '../../config/config.ts'
import { createRowScorer, type ScoringModel } from '../../models/score-rows.ts'
import type { KafkaParts } from '../roles/kafka-parts.ts'
import { createRowsComparison, type RowsAgreement } from './compare-rows.ts'
import type { RowBlocks } from './merge-rows.ts'
import { predictionRowsOf } from './published-rows.ts'
import { type RowsPlace, readRows, type ScoredRow } from './read-rows.ts'
import type { ReplayPlan } from './replay-plan.ts'
import type { OffsetRanges } from './replay-range.ts'
import { scoredRowsOf } from './replayed-rows.ts'
import { settledRanges } from './settled-ranges.ts'

/** Clocks of producers and workers may differ by so much: predictions are looked for from this long before. */
const CLOCK_SLACK_MS = 300_000

/**
 * So many offsets back a record may still take the place of one of the same event: more than the records of the
 * transactions of one partition that can be under way at once.
 */
const LEAST_DISTANCE = 65_536

export type CompareReplayOptions = {
  readonly kafka: KafkaParts
  readonly config: Config
  readonly plan: Pick<ReplayPlan, 'fromMs' | 'ranges'>
  readonly model: ScoringModel
  /** Where the replay wrote; null to score here and write nowhere. */
  readonly replayTopic: string | null
  readonly classesOf: (version: string) => readonly string[] | null
  /** Told the code of an event that cannot be read or scored here. */
  readonly refused: (code: string) => void
  readonly onRow: () => void
}

/** Which part of the predictions may be about the range: from shortly before it was written to the end of the log. */
const publishedRanges = async ({ kafka, plan }: CompareReplayOptions): Promise<OffsetRanges> => {
  const { admin, topics } = kafka
  const { name } = topics.predictions
  const held = await settledRanges(admin, name)
  if (plan.fromMs === null) return held
  const starts = await admin.offsetsAt(name, Math.max(0, plan.fromMs - CLOCK_SLACK_MS))
  return new Map([...held].map(([partition, { from, to }]) => [partition, { from: starts.get(partition) ?? from, to }]))
}

/** Compares what was published with what the replay says, partition by partition, side by side in offset order. */
export const compareReplay = async (
  options: CompareReplayOptions,
): Promise<RowsAgreement & { readonly republished: number }> => {
  const { kafka, config, plan, model, replayTopic, refused } = options
  const { task } = config
  const { client, codecs, topics } = kafka
  const distance = Math.max(LEAST_DISTANCE, 4 * task.stream.batchMaxRecords)
  const remarks = { late: 0 }
  const comparison = createRowsComparison({
    target: task.target,
    classesOf: options.classesOf,
    replayedClasses: model.scorer.classNames,
    onRow: options.onRow,
  })
  const published = await publishedRanges(options)
  const replayed = replayTopic === null ? plan.ranges : await settledRanges(kafka.admin, replayTopic)
  const scoreRows = createRowScorer({ features: task.features, now: Date.now })
  const score = scoredRowsOf({
    ...{ reader: codecs.eventRows(), refused },
    score: (rows) => scoreRows(rows, model, 'candidate'),
  })

  const replayedRows = (place: Omit<RowsPlace, 'topic'>): RowBlocks<ScoredRow> =>
    replayTopic === null
      ? readRows({ ...place, topic: topics.features.name }, score, { late: 0 })
      : readRows({ ...place, topic: replayTopic }, predictionRowsOf(codecs.predictions, 'candidate'), { late: 0 })

  for (const [partition, { from, to }] of plan.ranges) {
    const about = { client, partition, from: Number(from), to: Number(to), distance }
    const nothing = { from: 0n, to: 0n }
    await comparison.add(
      readRows(
        { ...about, topic: topics.predictions.name, range: published.get(partition) ?? nothing },
        predictionRowsOf(codecs.predictions, 'champion'),
        remarks,
      ),
      replayedRows({ ...about, range: replayed.get(partition) ?? nothing }),
    )
  }
  return { ...comparison.result(), republished: remarks.late }
}
