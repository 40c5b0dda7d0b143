import { AppError } from '../../errors.ts'
import { mayPass } from './patience.ts'
import { isFenced, protocolErrorType } from './protocol-errors.ts'

/** What a partition was at when it failed. */
export type PartitionPhase = 'start' | 'read' | 'process' | 'commit'

/**
 * What follows from a failure:
 * - `wait`: nothing is wrong with the partition; the same step is tried again, however long it takes.
 * - `unconfirmed`: somebody else may own the partition now. Fencing them back would only start a fight, so it starts
 *   over once the group confirms the membership.
 * - `restart`: it starts over from what is committed; too many of these in a row end the consumer.
 */
export type Recovery = { readonly kind: 'wait' | 'unconfirmed' | 'restart'; readonly counts: boolean }

/** The group went on, and a commit came with a generation of before. */
const OUTDATED: ReadonlySet<string | undefined> = new Set([
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'FENCED_INSTANCE_ID',
  'REBALANCE_IN_PROGRESS',
])

export const recoveryFrom = (phase: PartitionPhase, error: unknown): Recovery => {
  if (OUTDATED.has(protocolErrorType(error))) return { kind: 'unconfirmed', counts: false }
  if (isFenced(error)) return { kind: 'unconfirmed', counts: true }
  if (phase === 'process' && error instanceof AppError && error.retryable) return { kind: 'wait', counts: false }
  if (phase === 'start' && mayPass(error)) return { kind: 'wait', counts: false }
  return { kind: 'restart', counts: true }
}
