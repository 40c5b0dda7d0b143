import type { ScoringWorker } from '../support/scoring-world/scoring-worker.ts'
import type { ScoringWorld } from '../support/scoring-world/world.ts'

/** How a worker ended that nobody had ended. */
export type OwnEnd = { readonly worker: string; readonly code: number | null; readonly reason: string }

/** Workers of which one is started anew whenever one has ended, as a supervisor would. */
export type WorkerCrew = {
  /** Those that are ready, in the order of their starts. */
  readonly ready: () => ScoringWorker[]
  /** Resolves when as many as there should be are ready. */
  readonly complete: (timeoutMs?: number) => Promise<void>
  /** Tells that whoever ends this worker now is the soak. */
  readonly expectEnd: (worker: ScoringWorker) => void
  readonly starts: () => number
  readonly ownEnds: () => readonly OwnEnd[]
  /** Largest resident memory that was seen, of any worker, in bytes. */
  readonly mostResidentBytes: () => number
  /** Of the worker that lives longest: its memory a while after its start, and now. */
  readonly eldest: () => { name: string; ageSeconds: number; firstBytes: number; lastBytes: number } | null
  /** Starts nobody anew from here on. */
  readonly dismiss: () => void
}

const SAMPLE_EVERY_MS = 2000
/** By then what a process loads once is loaded. */
const SETTLED_AFTER_MS = 30_000
const RESTART_AFTER_MS = 500

type Member = { worker: ScoringWorker; startedAt: number; ready: boolean; firstBytes: number; lastBytes: number }

/** @param onLog told what workers write to their logs */
export const createWorkerCrew = (
  world: ScoringWorld,
  size: number,
  onLog: (worker: string, text: string) => void = () => undefined,
): WorkerCrew => {
  const members = new Set<Member>()
  const expected = new WeakSet<ScoringWorker>()
  const ownEnds: OwnEnd[] = []
  let starts = 0
  let mostBytes = 0
  let dismissed = false

  const hire = (): void => {
    if (dismissed) return
    starts += 1
    const worker = world.startWorker({ movingClock: true })
    const member: Member = { worker, startedAt: performance.now(), ready: false, firstBytes: 0, lastBytes: 0 }
    members.add(member)
    worker.child.stderr?.on('data', (text: Buffer) => onLog(worker.name, text.toString()))
    worker.ready.then(
      () => {
        member.ready = true
      },
      () => undefined,
    )
    worker.ended.then(({ code, signal }) => {
      members.delete(member)
      if (!dismissed && !expected.has(worker)) {
        ownEnds.push({ worker: worker.name, code, reason: signal ?? worker.complaints().slice(-1500) })
      }
      setTimeout(hire, RESTART_AFTER_MS)
    })
  }
  for (let i = 0; i < size; i++) hire()

  const sampling = setInterval(() => {
    for (const member of members) {
      const bytes = member.worker.residentBytes() ?? 0
      mostBytes = Math.max(mostBytes, bytes)
      member.lastBytes = bytes
      if (member.firstBytes === 0 && performance.now() - member.startedAt > SETTLED_AFTER_MS) member.firstBytes = bytes
    }
  }, SAMPLE_EVERY_MS)
  sampling.unref()

  const ready = (): ScoringWorker[] => [...members].filter((member) => member.ready).map(({ worker }) => worker)

  return {
    ready,
    starts: () => starts,
    ownEnds: () => ownEnds,
    mostResidentBytes: () => mostBytes,
    expectEnd: (worker) => {
      expected.add(worker)
    },
    complete: async (timeoutMs = 120_000) => {
      const deadline = performance.now() + timeoutMs
      while (ready().length < size) {
        if (performance.now() > deadline) {
          throw new Error(
            `${ready().length} of ${size} workers are ready after ${timeoutMs} ms: ` +
              [...members].map(({ worker }) => `${worker.name}: ${worker.complaints().slice(-1500)}`).join('\n'),
          )
        }
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
    },
    eldest: () => {
      const [eldest] = [...members].filter(({ firstBytes }) => firstBytes > 0)
      if (eldest === undefined) return null
      const ageSeconds = Math.round((performance.now() - eldest.startedAt) / 1000)
      const { worker, firstBytes, lastBytes } = eldest
      return { name: worker.name, ageSeconds, firstBytes, lastBytes }
    },
    dismiss: () => {
      dismissed = true
      clearInterval(sampling)
    },
  }
}
