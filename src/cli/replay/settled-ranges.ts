import { setTimeout as pause } from 'node:timers/promises'
import type { KafkaAdmin } from '../../kafka/kafka-types.ts'
import type { OffsetRanges } from './replay-range.ts'

/** Markers follow a commit within milliseconds; what stays open for longer belongs to a writer that is stuck or gone. */
const SETTLE_TIMEOUT_MS = 10_000
const POLL_MS = 10

/**
 * The offsets that a topic holds, with everything that was committed before the call: brokers acknowledge a commit
 * before each partition has its marker, and the last stable offset lies before it until then. Transactions that stay
 * open are waited for as long as `timeoutMs`, and left out.
 */
export const settledRanges = async (
  admin: Pick<KafkaAdmin, 'offsetRanges'>,
  topic: string,
  { timeoutMs = SETTLE_TIMEOUT_MS, wait = pause }: { timeoutMs?: number; wait?: (ms: number) => Promise<unknown> } = {},
): Promise<OffsetRanges> => {
  const ends = await admin.offsetRanges(topic, 'end')
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const stable = await admin.offsetRanges(topic)
    const isSettled = [...stable].every(([partition, { to }]) => to >= (ends.get(partition)?.to ?? 0n))
    if (isSettled || performance.now() > deadline) return stable
    await wait(POLL_MS)
  }
}
