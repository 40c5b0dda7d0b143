import type { Config } from '../../config/config.ts'

export const roleNames = ['score', 'record', 'watch', 'retrain', 'ingress', 'shadow'] as const
export type RoleName = (typeof roleNames)[number]

/** The roles that a task needs; `shadow` comes on top where somebody wants it. */
export const neededRoles: readonly RoleName[] = roleNames.filter((role) => role !== 'shadow')

/** Where each role listens unless it is told otherwise. */
export const usualPorts: Readonly<Record<RoleName, number>> = {
  ingress: 8080,
  score: 9101,
  record: 9102,
  watch: 9103,
  retrain: 9104,
  shadow: 9105,
}

/** A role that runs in this process. */
export type RunningRole = {
  /** Base of its /health and /metrics. */
  readonly url: string
  /** Rejects when the role cannot go on by itself; the process then ends, and whoever supervises it starts it anew. */
  readonly done: Promise<void>
  /** Finishes what is at hand, commits, and closes everything. */
  readonly stop: () => Promise<void>
}

export type StartRole = (config: Config) => Promise<RunningRole>
