import { replaying } from '../../../streams/replaying.ts'
import type { TaskConfig } from '../../config/task-schema.ts'
import { AppError } from '../../errors.ts'
import { runTopology } from '../../kafka/topology-runner.ts'
import type { ScoringModel } from '../../models/score-rows.ts'
import type { KafkaParts } from '../roles/kafka-parts.ts'
import { stopDeadlines } from '../stop-deadlines.ts'
import type { ReplayPlan } from './replay-plan.ts'
import { positionsIn } from './replay-positions.ts'
import type { ReplayTopics } from './replay-target.ts'

/** What this run of a replay wrote; an earlier one may have written before. */
export type WrittenReplay = { readonly predictions: number; readonly deadLetters: ReadonlyMap<string, number> }

export type WriteReplayOptions = {
  readonly kafka: KafkaParts
  readonly task: TaskConfig
  readonly plan: Pick<ReplayPlan, 'group' | 'ranges'>
  readonly model: ScoringModel
  readonly topics: ReplayTopics
  /** Told after each commit, with the offsets that are done of all that the plan spans. */
  readonly onProgress: (doneOffsets: number) => void
  readonly signal: AbortSignal
}

/**
 * Scores what is left of the plan and writes it, exactly once; a run that is ended midway leaves the rest to the next.
 * @throws AppError INTERRUPTED when the signal was aborted
 */
export const writeReplay = async (options: WriteReplayOptions): Promise<WrittenReplay> => {
  const { kafka, task, plan, model, topics, onProgress, signal } = options
  const positions = await positionsIn(kafka.admin, plan.group, kafka.topics.features.name, plan.ranges)
  const deadLetters = new Map<string, number>()
  let predictions = 0
  const tell = (): void => {
    let done = 0n
    for (const [partition, { from }] of plan.ranges) done += (positions.get(partition) ?? from) - from
    onProgress(Number(done))
  }
  tell()
  const consumer = await runTopology({
    client: kafka.client,
    topology: replaying({
      ...{ topics: kafka.topics, target: topics.predictions, features: task.features, model },
      now: Date.now,
    }),
    group: plan.group,
    reader: kafka.codecs.eventRows(),
    writer: kafka.codecs.predictionRows(topics.predictions.name),
    deadLetterTopic: topics.deadLetters.name,
    limits: task.stream,
    bounds: plan.ranges,
    now: Date.now,
    summarise: () => null,
    onCommitted: ({ partition, outputs, deadLetters: letters, nextOffset }) => {
      predictions += outputs
      for (const { reason } of letters) deadLetters.set(reason.code, (deadLetters.get(reason.code) ?? 0) + 1)
      positions.set(partition, nextOffset)
      tell()
    },
  })
  const stop = (): void => {
    // What is wrong with stopping shows in `done`.
    consumer.stop({ deadlineMs: stopDeadlines.partMs }).catch(() => undefined)
  }
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    await consumer.done
  } finally {
    signal.removeEventListener('abort', stop)
  }
  if (signal.aborted) {
    throw new AppError('INTERRUPTED', `stopped; the same command goes on where ${plan.group} stands`)
  }
  return { predictions, deadLetters }
}
