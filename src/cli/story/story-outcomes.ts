import { setTimeout as pause } from 'node:timers/promises'
import type { TaskTopics } from '../../../streams/topics.ts'
import { AppError } from '../../errors.ts'
import type { HistoryReader } from '../../history/history-types.ts'
import type { KafkaAdmin } from '../../kafka/kafka-types.ts'
import type { StoryOutcome } from './story-result.ts'
import { eventNumber } from './story-watcher.ts'

const lookEveryMs = 200
const readTimeoutMs = 90_000

/**
 * Waits until the workers and the recorder have read all that there is.
 * @throws AppError STORY_STALLED when they do not get there
 */
export const waitUntilRead = async (
  admin: KafkaAdmin,
  task: string,
  topics: TaskTopics,
  signal: AbortSignal,
): Promise<void> => {
  const readers = [
    { group: `${task}.score`, topic: topics.features.name },
    { group: `${task}.record`, topic: topics.predictions.name },
    { group: `${task}.record`, topic: topics.labels.name },
  ]
  const deadline = performance.now() + readTimeoutMs
  for (const { group, topic } of readers) {
    for (;;) {
      const lags = await admin.consumerLag(group, topic)
      const behind = [...lags.values()].reduce((sum, lag) => sum + lag, 0n)
      if (behind === 0n) break
      if (performance.now() > deadline) {
        throw new AppError(
          'STORY_STALLED',
          `the group ${group} is still ${behind} records behind on ${topic} after ${readTimeoutMs / 1000} s; look at its log`,
        )
      }
      await pause(lookEveryMs, undefined, { signal })
    }
  }
}

/** The labelled predictions of the story, from the history. */
export const readOutcomes = async (
  history: HistoryReader,
  options: { runId: string; since: number; labelled: number },
): Promise<StoryOutcome[]> => {
  const rows = await history.labelledRows({ sinceEventTime: options.since, limit: options.labelled })
  return rows.flatMap((row) => {
    const event = eventNumber(options.runId, row.event_id)
    if (event === null) return []
    return [{ event, modelVersion: row.model_version, label: row.label, prediction: row.prediction }]
  })
}
