import { withTimeout } from '../with-timeout.ts'
import type { MemberIdentity } from './group-member.ts'
import type { TransactionalWriter, TransactionPart } from './transactional-writer.ts'

/** A partition, as far as its transactions can be shared with those of others. */
export type SharingPartition = {
  readonly writer: TransactionalWriter
  /** Who we are while nothing of ours can be anybody else's; null while the group is joined anew. */
  readonly tenure: () => MemberIdentity | null
  /** Whether the partition is given to this member, and to the loop that asks. */
  readonly assigned: () => boolean
}

/** The transactions of one partition. */
export type SharedWriter = {
  /**
   * How long to leave records where they are, in milliseconds; 0 or less where they should be taken now.
   * @param backlog records that wait
   * @param wake called when it is time sooner than that
   */
  readonly restMs: (backlog: number, wake: () => void) => number
  /**
   * Commits the part, in a transaction of its own or in one with parts of other partitions.
   * @returns how many transactions it took: 1, or 0 where another partition's was shared
   */
  readonly commit: (part: TransactionPart) => Promise<number>
}

/** The transactions of one consumer's partitions, which they share while they are small. */
export type SharedTransactions = {
  readonly of: (partition: SharingPartition) => SharedWriter
  /** Resolves when no shared transaction is under way, and after a second at most. */
  readonly settled: () => Promise<void>
}

/** Larger parts have transactions of their own, which overlap: then the records are the work, and not the requests. */
const MOST_RECORDS = 256
const MOST_BYTES = 128 * 1024
/** So that a request stays far below the size that brokers take. */
const MOST_PARTS = 64
/** A transaction that takes longer waits for something that the other partitions may not need. */
const SLOW_MS = 250
/** After one that failed or was slow: nobody knows whose fault it was. Who is so alone then stays alone for longer. */
const APART_MS = 5000
const FAULTY_APART_MS = 30_000
const SETTLE_MS = 1000
/** Until somebody wakes us, that is. */
const UNTIL_WOKEN_MS = 1000

type Waiting = {
  readonly who: SharingPartition
  readonly part: TransactionPart
  readonly resolve: (transactions: number) => void
  readonly reject: (error: unknown) => void
}

/**
 * At low rates the requests of a transaction are nearly all of its cost, to the broker and to us, and their number grows
 * with the partitions. So partitions with little to commit share one transaction: one is under way at a time, and takes
 * along what came during the one before.
 *
 * A shared transaction runs under the transactional id of one of its partitions, the leader, whose next owner ends it.
 * The owners of the others' partitions do not: for those the group's generation is the fence (KIP-447). Offsets that
 * come with an older one are refused, and whoever reads the committed offset waits until those that were taken before
 * are decided. So only a partition that was given to us in the generation that is sent along may take part, and while
 * the group is joined anew nobody does.
 */
export const createSharedTransactions = (): SharedTransactions => {
  const apartUntil = new WeakMap<TransactionalWriter, number>()
  const wakes = new Set<() => void>()
  let allApartUntil = 0
  let waiting: Waiting[] = []
  /** `slow`: one is under way, and nobody waits for it any more. */
  let state: 'idle' | 'forming' | 'flying' | 'slow' = 'idle'
  let landed: Promise<void> = Promise.resolve()

  const wakeAll = (): void => {
    const woken = [...wakes]
    wakes.clear()
    for (const wake of woken) wake()
  }

  const mayShare = ({ writer, tenure, assigned }: SharingPartition): boolean => {
    const now = performance.now()
    if (now < allApartUntil || now < (apartUntil.get(writer) ?? 0)) return false
    return tenure() !== null && assigned()
  }

  const alone = async ({ writer }: SharingPartition, part: TransactionPart): Promise<number> => {
    const began = performance.now()
    let committed = false
    try {
      await writer.commit([part])
      committed = true
      return 1
    } finally {
      const now = performance.now()
      if (!committed || now - began > SLOW_MS) apartUntil.set(writer, now + FAULTY_APART_MS)
    }
  }

  const goAlone = ({ who, part, resolve, reject }: Waiting): Promise<void> => alone(who, part).then(resolve, reject)

  const together = async (party: readonly Waiting[], member: MemberIdentity): Promise<void> => {
    const leader = party.reduce((best, next) => (next.who.writer.restMs() < best.who.writer.restMs() ? next : best))
    try {
      await leader.who.writer.commit(
        party.map(({ part }) => part),
        member,
      )
      if (state === 'slow') allApartUntil = performance.now() + APART_MS
      for (const one of party) one.resolve(one === leader ? 1 : 0)
    } catch (error) {
      allApartUntil = performance.now() + APART_MS
      for (const one of party) one.reject(error)
    }
  }

  /** What is decided here holds until the offsets are taken, or they are not: the generation goes along. */
  const commitAll = async (party: readonly Waiting[]): Promise<void> => {
    const member = party[0]?.who.tenure() ?? null
    const sharing = member === null ? [] : party.filter(({ who }) => mayShare(who))
    for (const one of party) if (!sharing.includes(one)) void goAlone(one)
    if (member !== null && sharing.length > 1) {
      landed = together(sharing, member)
      await landed
    } else {
      await Promise.all(sharing.map(goAlone))
    }
  }

  const form = (): void => {
    state = 'forming'
    wakeAll()
    // Whoever was woken now, or by the same records, comes along.
    setImmediate(() => void depart())
  }

  const depart = async (): Promise<void> => {
    const party = waiting.slice(0, MOST_PARTS)
    waiting = waiting.slice(MOST_PARTS)
    state = 'flying'
    const timer = setTimeout(() => {
      state = 'slow'
      const stuck = waiting
      waiting = []
      for (const one of stuck) void goAlone(one)
      wakeAll()
    }, SLOW_MS)
    try {
      await commitAll(party)
    } finally {
      clearTimeout(timer)
      state = 'idle'
      if (waiting.length > 0) form()
      else wakeAll()
    }
  }

  return {
    of: (who) => {
      const { writer } = who
      /** What comes out of few records can be large, and is not known before. */
      let large = false
      return {
        restMs: (backlog, wake) => {
          if (large || backlog > MOST_RECORDS || state === 'slow' || !mayShare(who)) return writer.restMs()
          if (state === 'forming') return 0
          const restMs = state === 'idle' ? writer.restMs() : UNTIL_WOKEN_MS
          if (restMs > 0) wakes.add(wake)
          return restMs
        },
        commit: (part) => {
          const { records, bytes } = part.sink
          large = records > MOST_RECORDS || bytes > MOST_BYTES
          if (large || state === 'slow' || !mayShare(who)) return alone(who, part)
          const { promise, resolve, reject } = Promise.withResolvers<number>()
          waiting.push({ who, part, resolve, reject })
          if (state === 'idle') form()
          return promise
        },
      }
    },
    settled: () => withTimeout(landed, SETTLE_MS, 'a shared transaction did not end').catch(() => undefined),
  }
}
