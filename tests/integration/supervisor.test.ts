import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test, vi } from 'vitest'
import { exitCodes, reportFailure } from '../../src/cli/exit-codes.ts'
import type { RoleEvent } from '../../src/cli/supervisor/child-role.ts'
import { createSupervisor, type Supervisor } from '../../src/cli/supervisor/supervisor.ts'
import { eventually } from '../support/eventually.ts'

const stub = fileURLToPath(new URL('../support/programs/role-stub.mjs', import.meta.url))
const open: { supervisor: Supervisor; folder: string }[] = []

const supervise = (kinds: readonly string[], options: { readyTimeoutMs?: number } = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'driftline-supervisor-'))
  const events: RoleEvent[] = []
  const supervisor = createSupervisor({
    specs: kinds.map((kind, index) => ({
      name: `${kind}-${index}`,
      args: [stub, kind],
      env: {},
      logFile: join(folder, `${kind}.log`),
    })),
    stateFile: join(folder, 'roles.json'),
    ...options,
    onEvent: (event) => events.push(event),
  })
  open.push({ supervisor, folder })
  return { supervisor, folder, events }
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

afterEach(async () => {
  vi.restoreAllMocks()
  for (const { supervisor, folder } of open.splice(0)) {
    await supervisor.stop({ deadlineMs: 500 })
    rmSync(folder, { recursive: true, force: true })
  }
})

test('a role that is killed runs again, with another process id', async () => {
  const { supervisor, folder } = supervise(['steady'])
  await supervisor.start()
  const before = supervisor.role('steady-0')?.pid() ?? 0
  process.kill(before, 'SIGKILL')
  await eventually(() => {
    const [state] = JSON.parse(readFileSync(join(folder, 'roles.json'), 'utf8')) as {
      pid: number
      url?: string
      restarts: number
    }[]
    expect(state).toMatchObject({ restarts: 1, url: expect.any(String) })
    expect(state?.pid).not.toBe(before)
  })
})

test('a role that cannot start is named with its log, and the others are stopped', async () => {
  const { supervisor, events } = supervise(['steady', 'broken'])
  await expect(supervisor.start()).rejects.toThrow(/broken-1 ended with exit code 1[\s\S]*the reason it cannot start/)
  for (const event of events) if (event.type === 'ready') expect(isAlive(event.pid)).toBe(false)
})

test('the exit code of a role that cannot start is told', async () => {
  const { supervisor } = supervise(['steady', 'unreachable'])
  const failure = await supervisor.start().catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'ROLE_FAILED', exitCode: exitCodes.unreachable })
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  expect(reportFailure(failure)).toBe(exitCodes.unreachable)
})

test('a role that is not ready in time is told as such, whatever it ends with', async () => {
  const { supervisor } = supervise(['mute'], { readyTimeoutMs: 300 })
  await expect(supervisor.start()).rejects.toMatchObject({
    code: 'ROLE_FAILED',
    exitCode: null,
    message: expect.stringContaining('mute-0 was not ready after 0.3 s'),
  })
})

test('a role that does not listen is killed at the deadline', async () => {
  const { supervisor } = supervise(['stubborn'])
  await supervisor.start()
  const pid = supervisor.role('stubborn-0')?.pid() ?? 0
  await supervisor.stop({ deadlineMs: 200 })
  expect(isAlive(pid)).toBe(false)
  expect(supervisor.role('stubborn-0')?.restarts()).toBe(0)
})
