import { offsetFetchV7 } from '@platformatic/kafka'
import type { CoordinatorPort } from './coordinator-port.ts'
import { withPatience } from './patience.ts'

export type StableOffsetsOptions = {
  readonly group: string
  readonly topic: string
  readonly partitions: readonly number[]
  readonly coordinator: CoordinatorPort
  /** How long an open transaction or a coordinator that moves is waited for. */
  readonly patienceMs: number
}

/**
 * The committed offsets of partitions; those that have none are left out. Waits while a transaction that commits
 * offsets of them has not ended: initialising a transactional id ends what its older owner left open, but no broker
 * promises to apply the offsets of an ended transaction before it answers that request. An offset that is read in
 * between is the one before that transaction, and its records would be written twice.
 * @throws KafkaUnavailable when patience ends; KafkaUnsuitable, KafkaAccessDenied
 */
export const readStableOffsets = async (options: StableOffsetsOptions): Promise<Map<number, bigint>> => {
  const { group, topic, partitions, coordinator, patienceMs } = options
  const asked = { groupId: group, topics: [{ name: topic, partitionIndexes: [...partitions] }] }
  const reply = await withPatience(`the committed offsets of group ${group} in ${topic}`, patienceMs, () =>
    coordinator.ask((link) => link.call('OffsetFetch 7 (stable offsets, KIP-447)', [offsetFetchV7.api], [asked], true)),
  )
  const found = reply.topics?.find(({ name }) => name === topic)?.partitions ?? []
  return new Map(
    found
      .filter(({ committedOffset }) => committedOffset >= 0n)
      .map(({ partitionIndex, committedOffset }) => [partitionIndex, committedOffset]),
  )
}
