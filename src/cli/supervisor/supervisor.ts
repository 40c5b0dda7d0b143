import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stopDeadlines } from '../stop-deadlines.ts'
import { untilAborted } from '../until-aborted.ts'
import { type ChildRole, createChildRole, type RoleEvent, type RoleSpec } from './child-role.ts'

export type Supervisor = {
  /**
   * Starts all roles at once; resolves when every one is ready, rejects (and stops all) when one cannot start or the
   * signal is aborted.
   */
  start: (signal?: AbortSignal) => Promise<void>
  stop: (options?: { deadlineMs?: number }) => Promise<void>
  role: (name: string) => ChildRole | undefined
  roles: () => readonly ChildRole[]
}

/**
 * Keeps a set of roles running as child processes.
 * @param options.stateFile who runs with which process id and address, as JSON, for people and tools; null for none
 */
export const createSupervisor = (options: {
  specs: readonly RoleSpec[]
  stateFile: string | null
  readyTimeoutMs?: number
  onEvent?: (event: RoleEvent) => void
}): Supervisor => {
  const { specs, stateFile, readyTimeoutMs = 60_000 } = options
  const writeState = (): void => {
    if (stateFile === null) return
    const state = roles.map((role) => ({
      role: role.name,
      pid: role.pid(),
      url: role.url(),
      restarts: role.restarts(),
    }))
    writeFileSync(`${stateFile}.tmp`, `${JSON.stringify(state, null, 2)}\n`)
    renameSync(`${stateFile}.tmp`, stateFile)
  }
  const onEvent = (event: RoleEvent): void => {
    writeState()
    options.onEvent?.(event)
  }
  const roles = specs.map((spec) => createChildRole(spec, { onEvent, readyTimeoutMs }))

  const stop = async ({ deadlineMs = stopDeadlines.supervisorMs }: { deadlineMs?: number } = {}): Promise<void> => {
    await Promise.all(roles.map((role) => role.stop(deadlineMs)))
    if (stateFile !== null) rmSync(stateFile, { force: true })
  }

  return {
    start: async (signal) => {
      if (stateFile !== null) mkdirSync(join(stateFile, '..'), { recursive: true })
      const ready = Promise.all(roles.map((role) => role.start()))
      try {
        await (signal === undefined ? ready : untilAborted(ready, signal))
      } catch (error) {
        await stop()
        throw error
      }
    },
    stop,
    role: (name) => roles.find((role) => role.name === name),
    roles: () => roles,
  }
}
