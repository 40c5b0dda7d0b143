import type { StoryConfig } from '../../config/task-schema.ts'
import { phaseOf, type StoryPhase } from './story-phase.ts'
import type { StorySource } from './story-source.ts'

/** An event of the story; `number` counts from 1. */
export type StoryEvent = {
  number: number
  id: string
  eventTime: number
  values: Record<string, number | string | null>
}
export type StoryLabel = { id: string; label: string; labelledAt: number }

/** What the rest of the system has done so far. */
export type StoryObservation = {
  /** Number of the last event that the first alarm had seen. */
  driftDetectedAt: number | null
  /** A new model was promoted by a retraining job. */
  promotion: { version: string; promotedAt: number; jobId: string | null } | null
  /** When the last of the roles that hold a model flipped to the promoted one; null while one has not. */
  flippedAt: number | null
  /** A sentence on what the retraining does. */
  retraining: string | null
}

/** The edges of the story: what it writes and what it looks at. */
export type StoryWorld = {
  now: () => number
  /** Waits for the next turn of the pacing loop. */
  tick: () => Promise<void>
  sendEvents: (events: readonly StoryEvent[]) => Promise<void>
  /** Sends a record that cannot be scored; `kind` turns through the ways to be wrong. */
  sendBad: (id: string, kind: number) => Promise<void>
  sendLabels: (labels: readonly StoryLabel[]) => Promise<void>
  observe: () => Promise<StoryObservation>
  onProgress: (progress: StoryProgress) => void
}

export type StoryProgress = { phase: StoryPhase; sent: number; labelled: number; observation: StoryObservation }

export type PlayedStory = {
  finished: boolean
  /** Ids of all records sent, the bad ones too. */
  sentIds: Set<string>
  sent: number
  labelled: number
  startedAt: number
  observation: StoryObservation
}

/** The most events of one turn: after a pause of this process it catches up step by step. */
const maxEventsPerTurn = 2000

/** After how many regular events each bad record is sent: evenly over the normal part. */
const badPositions = (plan: StoryConfig): number[] =>
  Array.from({ length: plan.badEvents }, (_, index) =>
    Math.floor(((index + 1) * plan.normalEvents) / (plan.badEvents + 1)),
  )

/**
 * Plays the story: normal events, then shifted ones until a new model took over, then some more.
 * Labels follow `labelDelayMs` after their events. Ends when the last label is sent.
 */
export const playStory = async (
  plan: StoryConfig,
  options: { runId: string; source: StorySource; world: StoryWorld; signal: AbortSignal },
): Promise<PlayedStory> => {
  const { runId, source, world, signal } = options
  const startedAt = world.now()
  const sentIds = new Set<string>()
  const waitingLabels: { dueAt: number; label: Omit<StoryLabel, 'labelledAt'> }[] = []
  const bad = badPositions(plan)
  let sent = 0
  let labelled = 0
  let sentAtSwap: number | null = null
  let observation = await world.observe()

  const sendDueEvents = async (): Promise<void> => {
    const due = Math.floor(((world.now() - startedAt) * plan.eventsPerSecond) / 1000)
    const events: StoryEvent[] = []
    while (sent < Math.min(due, plan.maxEvents) && events.length < maxEventsPerTurn) {
      sent += 1
      const { values, label } = source.next(sent > plan.normalEvents)
      const id = `${runId}-${sent}`
      const eventTime = world.now()
      events.push({ number: sent, id, eventTime, values })
      waitingLabels.push({ dueAt: eventTime + plan.labelDelayMs, label: { id, label } })
      sentIds.add(id)
    }
    if (events.length > 0) await world.sendEvents(events)
    while (bad.length > 0 && sent >= (bad[0] ?? 0)) {
      bad.shift()
      const kind = plan.badEvents - bad.length - 1
      const id = `${runId}-bad-${kind + 1}`
      sentIds.add(id)
      await world.sendBad(id, kind)
    }
  }

  const sendDueLabels = async (): Promise<void> => {
    const now = world.now()
    const firstWaiting = waitingLabels.findIndex((waiting) => waiting.dueAt > now)
    const due = waitingLabels.splice(0, firstWaiting === -1 ? waitingLabels.length : firstWaiting)
    if (due.length === 0) return
    await world.sendLabels(due.map(({ label }) => ({ ...label, labelledAt: now })))
    labelled += due.length
  }

  let phase = phaseOf({ sent, sentAtSwap }, plan)
  while (!signal.aborted && (phase !== 'over' || waitingLabels.length > 0)) {
    await world.tick()
    if (phase !== 'over') await sendDueEvents()
    await sendDueLabels()
    observation = await world.observe()
    if (sentAtSwap === null && observation.flippedAt !== null) sentAtSwap = sent
    phase = phaseOf({ sent, sentAtSwap }, plan)
    world.onProgress({ phase, sent, labelled, observation })
    if (phase === 'failed') break
  }
  signal.throwIfAborted()
  return { finished: phase === 'over', sentIds, sent, labelled, startedAt, observation }
}
