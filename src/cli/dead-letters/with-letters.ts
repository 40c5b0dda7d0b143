import type { Config } from '../../config/config.ts'
import { createLogger } from '../../telemetry/log.ts'
import { type KafkaParts, openKafka } from '../roles/kafka-parts.ts'
import { openConfig, type TaskOptions } from '../task-options.ts'
import { createDestinations, type Destination } from './destinations.ts'

/** What a verb about dead letters has at hand. */
export type OpenedLetters = {
  readonly config: Config
  readonly kafka: KafkaParts
  /** Name of the dead-letter topic. */
  readonly topic: string
  readonly destinations: ReadonlyMap<string, Destination>
  /** Topics that letters may be sent back to. */
  readonly sources: ReadonlySet<string>
}

/** Runs a verb with the dead letters of a task. */
export const withLetters = async (
  options: TaskOptions,
  use: (opened: OpenedLetters) => Promise<void>,
): Promise<void> => {
  const config = await openConfig(options, 'required')
  // What a verb did, it prints itself; the log is left for what went wrong.
  const logger = createLogger({ name: 'dead-letters', level: 'error', instanceId: config.instanceId })
  const kafka = await openKafka(config, 'dead-letters', logger)
  try {
    const destinations = createDestinations({ task: config.task, topics: kafka.topics, codecs: kafka.codecs })
    const topic = kafka.topics.deadLetters.name
    await use({ config, kafka, topic, destinations, sources: new Set(destinations.keys()) })
  } finally {
    await kafka.admin.close()
  }
}
