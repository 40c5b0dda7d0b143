import { createRoleServer } from '../../api/role-server.ts'
import type { Config } from '../../config/config.ts'
import { processEnvironment } from '../../config/load.ts'
import { createLogger } from '../../telemetry/log.ts'
import { type LabelledExposition, mergeExpositions } from '../../telemetry/merged-exposition.ts'
import { packageFile } from '../package-root.ts'
import type { RoleName, RunningRole } from '../roles/role.ts'
import { httpPart, rolePlace, startRole } from '../roles/role-frame.ts'
import { stopDeadlines } from '../stop-deadlines.ts'
import type { ChildRole, RoleSpec } from '../supervisor/child-role.ts'
import { createSupervisor } from '../supervisor/supervisor.ts'

/** A worker that is busy still answers within this time; the page of metrics does not wait longer for one. */
const askTimeoutMs = 2000

/** What a worker may take to be ready, once the group lets it in. */
const readyTimeoutMs = 60_000

const specsOf = (config: Config, role: RoleName, workers: number): RoleSpec[] =>
  Array.from({ length: workers }, (_, index) => ({
    name: `${role}-${index + 1}`,
    args: [packageFile('bin', 'driftline.js'), 'run', role, '--config', config.taskFile],
    env: {
      ...processEnvironment(),
      // The named port is this process's; each worker takes a free one.
      DRIFTLINE_METRICS_PORT: '0',
      DRIFTLINE_INSTANCE_ID: `${config.instanceId}-${index + 1}`,
    },
    logFile: null,
  }))

const ask = async (worker: ChildRole, path: string): Promise<Response> => {
  const url = worker.url()
  if (url === undefined) throw new Error(`${worker.name} is not ready`)
  return fetch(`${url}${path}`, { signal: AbortSignal.timeout(askTimeoutMs) })
}

/**
 * Runs a role in several processes of this machine: each is a consumer of its own in the same group, so that Kafka
 * shares the partitions out among them, over machines too. A worker that ends is started again. One /metrics page shows
 * all of them, by the label `worker`; /health is well while all of them are.
 * @param signal ends the start, and the workers with it; what it was aborted with is thrown
 */
export const startWorkerGroup = async (
  config: Config,
  role: RoleName,
  workers: number,
  signal: AbortSignal,
): Promise<RunningRole> => {
  const logger = createLogger({ name: `${role}-group`, level: config.logLevel, instanceId: config.instanceId })
  const supervisor = createSupervisor({
    specs: specsOf(config, role, workers),
    stateFile: null,
    // One that was killed before keeps its place in the group for a session's time, and new ones wait for that.
    readyTimeoutMs: readyTimeoutMs + config.task.stream.sessionTimeoutMs,
    onEvent: (event) => {
      if (event.type === 'ended') logger.warn(event, `${event.role} ended and is started again`)
    },
  })

  const metrics = async (): Promise<string> => {
    const pages = await Promise.all(
      supervisor.roles().map(async (worker): Promise<LabelledExposition | null> => {
        try {
          return { worker: worker.name, text: await (await ask(worker, '/metrics')).text() }
        } catch {
          // It is starting again, or busy: its series are missing from this page, as they would be from its own.
          return null
        }
      }),
    )
    return mergeExpositions(pages.filter((page) => page !== null))
  }

  const health = async () => {
    const states = await Promise.all(
      supervisor.roles().map(async (worker) => {
        const ok = await ask(worker, '/health').then(
          (response) => response.ok,
          () => false,
        )
        return [worker.name, { ok, pid: worker.pid() ?? null, restarts: worker.restarts() }] as const
      }),
    )
    return { ok: states.every(([, state]) => state.ok), details: { workers: Object.fromEntries(states) } }
  }

  const http = httpPart(
    createRoleServer({
      role,
      metrics: { contentType: 'text/plain; version=0.0.4; charset=utf-8', text: metrics },
      logger,
      health,
    }),
    rolePlace(config, role),
  )
  const ended = Promise.withResolvers<void>()
  return startRole({
    url: http.url,
    done: () => ended.promise,
    parts: [
      // First: a port that is taken is told before workers have joined the group, and the page outlives them.
      http.part,
      {
        name: 'workers',
        start: () => supervisor.start(signal),
        stop: async () => {
          await supervisor.stop({ deadlineMs: stopDeadlines.workerMs })
          ended.resolve()
        },
      },
    ],
  })
}
