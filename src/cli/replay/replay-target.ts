import type { TaskTopics } from '../../../streams/topics.ts'
import { ConfigInvalid } from '../../errors.ts'
import type { KafkaAdmin } from '../../kafka/kafka-types.ts'
import { replayTopicSpecs } from '../../kafka/topic-specs.ts'
import { ReplayRefused } from './replay-errors.ts'
import type { ReplayAsked, ReplayPlan, ReplayPlans } from './replay-plan.ts'
import { positionsIn } from './replay-positions.ts'
import { type OffsetRanges, offsetsIn } from './replay-range.ts'

/** Where a replay writes. */
export type ReplayTopics = {
  readonly predictions: { readonly name: string }
  readonly deadLetters: { readonly name: string }
}

const MAX_TOPIC_LENGTH = 249

/**
 * The topics of a replay into `name`.
 * @throws ConfigInvalid for no topic name, or a topic that the task itself uses
 */
export const replayTopicsOf = (name: string, topics: TaskTopics): ReplayTopics => {
  const target = { predictions: { name }, deadLetters: { name: `${name}.dead-letters` } }
  if (!/^[a-zA-Z0-9._-]+$/.test(name) || target.deadLetters.name.length > MAX_TOPIC_LENGTH || /^\.+$/.test(name)) {
    throw new ConfigInvalid(
      `--to-topic "${name}" is no topic name: letters, digits, dots, dashes and underscores, at most ${MAX_TOPIC_LENGTH - '.dead-letters'.length}`,
    )
  }
  const used = Object.values(topics).map((topic) => topic.name)
  const taken = [target.predictions.name, target.deadLetters.name].find((topic) => used.includes(topic))
  if (taken === undefined) return target
  throw new ConfigInvalid(
    `--to-topic ${name}: ${taken} is a live topic of the task, read by its roles; name another one`,
  )
}

const textOf = ({ from, to, model }: ReplayAsked): string => `--from ${from} --to ${to} --model ${model}`

const isSame = (a: ReplayAsked, b: ReplayAsked): boolean => textOf(a) === textOf(b)

/** Whether a topic is there and holds anything. */
const holdsRecords = async (admin: KafkaAdmin, topic: string): Promise<boolean> =>
  offsetsIn(await admin.offsetRanges(topic, 'end')) > 0

export type OpenReplayOptions = {
  readonly admin: KafkaAdmin
  readonly task: string
  /** The topic that is read. */
  readonly source: string
  readonly topics: ReplayTopics
  /** Partitions of what is read. */
  readonly partitions: number
  readonly replicationFactor: number
  readonly plans: ReplayPlans
  readonly asked: ReplayAsked
  readonly restart: boolean
  /** Works the plan out; not asked where a replay goes on. */
  readonly newPlan: () => Promise<Omit<ReplayPlan, 'asked' | 'group'>>
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** Whether a group has gone beyond the start of any of the ranges. */
const hasMoved = async (
  { admin, source }: OpenReplayOptions,
  group: string,
  ranges: OffsetRanges,
): Promise<boolean> => {
  const positions = await positionsIn(admin, group, source, ranges)
  return [...ranges].some(([partition, { from }]) => (positions.get(partition) ?? from) > from)
}

/** @throws ReplayRefused where other options were given, or what it had written is gone */
const goOn = async (begun: ReplayPlan, isEmpty: boolean, options: OpenReplayOptions): Promise<ReplayPlan> => {
  const { name } = options.topics.predictions
  if (!isSame(begun.asked, options.asked)) {
    throw new ReplayRefused(
      `a replay into ${name} was begun with ${textOf(begun.asked)}: give the same options to go on with it, or another --to-topic`,
    )
  }
  if (isEmpty && (await hasMoved(options, begun.group, begun.ranges))) {
    throw new ReplayRefused(
      `${name} was emptied or deleted since the replay into it was begun: begin anew with --restart`,
    )
  }
  return begun
}

/**
 * Finds out whether a replay into a topic begins or goes on, and makes its topics.
 * @throws ReplayRefused where the topic holds something else than this replay
 */
export const openReplay = async (options: OpenReplayOptions): Promise<{ plan: ReplayPlan; goesOn: boolean }> => {
  const { admin, task, topics, plans, asked, restart } = options
  const { name } = topics.predictions
  const begun = await plans.read(name)
  await admin.ensureTopics(replayTopicSpecs(topics, options))
  const held = [await holdsRecords(admin, name), await holdsRecords(admin, topics.deadLetters.name)]
  const isEmpty = !held.includes(true)
  if (begun !== null && !restart) return { plan: await goOn(begun, isEmpty, options), goesOn: true }
  if (!isEmpty) {
    throw new ReplayRefused(
      begun === null
        ? `${name} or its dead letters hold records of something else than a replay that was begun from here: name another --to-topic`
        : `${name} or its dead letters hold records of the replay ${textOf(begun.asked)}, and they cannot be taken back: name another --to-topic, or delete both topics first`,
    )
  }
  const found = await options.newPlan()
  const usual = `${task}.replay.${name}`
  // A replay into a topic of this name that was deleted since has left its position behind.
  const isUsed = restart || (await hasMoved(options, usual, found.ranges))
  const plan: ReplayPlan = { asked, group: isUsed ? `${usual}.${options.now().toString(36)}` : usual, ...found }
  await plans.write(name, plan)
  return { plan, goesOn: false }
}
