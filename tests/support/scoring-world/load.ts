import { setTimeout as later } from 'node:timers/promises'
import type { KeyedRecord, PlainProducer } from '../../../src/kafka/kafka-types.ts'
import { eventId } from './oracle.ts'

/** Sends events with known ids at a steady rate. */
export type Load = {
  /** Events whose sending was begun. */
  readonly sent: () => number
  /** The number of the event after them. */
  readonly next: () => number
  /** Numbers of the events whose sending was confirmed. */
  readonly confirmed: () => Iterable<number>
  /** Sends of which the outcome is not known; they are not sent again. */
  readonly uncertain: () => number
  /** Resolves when so many more are sent. @throws where sending takes longer than `timeoutMs` */
  readonly more: (count: number, timeoutMs?: number) => Promise<void>
  /** Ends the sending and resolves when the last send is over. */
  readonly stop: () => Promise<void>
}

export type LoadOptions = {
  readonly producer: PlainProducer
  readonly topic: string
  readonly partitions: number
  readonly eventsPerSecond: number
  /** The bytes of an event. */
  readonly encode: (number: number) => Uint8Array
  /** The number of the first event. */
  readonly first?: number
}

const EVERY_MS = 40
/** After a pause it catches up, but not all at once. */
const MOST_AT_ONCE = 2000

export const startLoad = (options: LoadOptions): Load => {
  const { producer, topic, partitions, eventsPerSecond, encode, first = 0 } = options
  const confirmed: [from: number, to: number][] = []
  const stopping = new AbortController()
  let next = first
  let uncertain = 0

  const recordOf = (number: number): KeyedRecord => ({
    topic,
    partition: number % partitions,
    key: Buffer.from(eventId(number)),
    value: encode(number),
  })

  const run = async (): Promise<void> => {
    const started = performance.now()
    while (!stopping.signal.aborted) {
      const due = first + Math.floor(((performance.now() - started) * eventsPerSecond) / 1000)
      const from = next
      const to = Math.min(due, from + MOST_AT_ONCE)
      if (to > from) {
        next = to
        try {
          await producer.send(Array.from({ length: to - from }, (_, i) => recordOf(from + i)))
          confirmed.push([from, to])
        } catch {
          // It may have arrived or not, and the log tells: sending it again could make two of it.
          uncertain += to - from
        }
      }
      await later(EVERY_MS, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }
  const running = run()

  return {
    sent: () => next - first,
    next: () => next,
    confirmed: function* () {
      for (const [from, to] of confirmed) for (let number = from; number < to; number++) yield number
    },
    uncertain: () => uncertain,
    more: async (count, timeoutMs = 60_000) => {
      const goal = next + count
      const deadline = performance.now() + timeoutMs
      while (next < goal) {
        if (performance.now() > deadline) throw new Error(`the load stands at ${next} of ${goal} events`)
        await later(EVERY_MS)
      }
    },
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}
