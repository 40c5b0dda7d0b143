import { Argument, Command } from 'commander'
import type { Config } from '../../config/config.ts'
import { AppError, ConfigInvalid } from '../../errors.ts'
import { exitCodes, reportFailure } from '../exit-codes.ts'
import { loadRole } from '../roles/load-role.ts'
import { type RoleName, type RunningRole, roleNames } from '../roles/role.ts'
import { stopDeadlines } from '../stop-deadlines.ts'
import type { RoleReady } from '../supervisor/role-messages.ts'
import { openConfig, type TaskOptions, withTaskOptions } from '../task-options.ts'
import { workerCount } from '../workers/worker-count.ts'

const announce = (role: RoleName, running: RunningRole, options: TaskOptions): void => {
  if (options.json) console.log(JSON.stringify({ role, url: running.url, pid: process.pid }))
  // Whoever supervises this process tells people of it.
  if (process.send !== undefined) process.send({ type: 'ready', url: running.url } satisfies RoleReady)
  else if (!options.json) console.error(`driftline: ${role} is running, ${running.url}`)
}

/**
 * Resolves when the process is asked to stop: by a signal, or because the process that started it is gone.
 * A terminal sends Ctrl+C to every process of its group. Under a supervisor that is for the supervisor to hear, which
 * then asks each role once; alone, a second one means that the person does not want to wait.
 */
const stopRequested = (): Promise<void> =>
  new Promise((resolve) => {
    const supervised = process.send !== undefined
    let interrupts = 0
    process.on('SIGINT', () => {
      if (supervised) return
      interrupts += 1
      if (interrupts > 1) process.exit(exitCodes.interrupted)
      resolve()
    })
    process.on('SIGHUP', () => {
      if (!supervised) resolve()
    })
    process.on('SIGTERM', () => resolve())
    process.once('disconnect', () => resolve())
  })

const stopWithin = async (running: RunningRole): Promise<void> => {
  const timer = setTimeout(() => {
    reportFailure(new AppError('STOP_TIMEOUT', `the role did not stop within ${stopDeadlines.roleMs / 1000} s`))
    process.exit(exitCodes.failed)
  }, stopDeadlines.roleMs)
  await running.stop()
  clearTimeout(timer)
}

const startHere = async (config: Config, role: RoleName): Promise<RunningRole> => (await loadRole(role))(config)

/** Starts the role in processes of its own; undefined where `stop` came first, and all of them have ended. */
const startGroup = async (
  config: Config,
  role: RoleName,
  workers: number,
  stop: Promise<void>,
): Promise<RunningRole | undefined> => {
  const { startWorkerGroup } = await import('../workers/worker-group.ts')
  const told = new AbortController()
  void stop.then(() => told.abort())
  try {
    return await startWorkerGroup(config, role, workers, told.signal)
  } catch (error) {
    if (told.signal.aborted) return undefined
    throw error
  }
}

/** Roles that consumers of one group can share out among them. */
const sharedRoles: ReadonlySet<RoleName> = new Set(['score'])

export const runCommand = (): Command =>
  withTaskOptions(new Command('run'))
    .description('run one role until it is told to stop (SIGTERM or Ctrl+C)')
    .addArgument(new Argument('<role>', 'which one').choices(roleNames))
    .option('--workers <n>', 'processes that share the partitions, for the role score', workerCount, 1)
    .addHelpText(
      'after',
      `
Roles:
  score     scores feature events and publishes predictions, exactly once
  record    writes predictions and labels to the history database
  watch     compares recent events with the model's reference sample, raises drift alarms
  retrain   trains, compares and promotes new models
  ingress   answers HTTP requests
  shadow    scores feature events with every shadow and compares with production (optional)

Examples:
  driftline run score
  driftline run score --workers 4
  DRIFTLINE_METRICS_PORT=9201 driftline run score --config tasks/churn.yaml
  DRIFTLINE_HTTP_PORT=8080 driftline run ingress`,
    )
    .action(async (role: RoleName, options: TaskOptions & { workers: number }) => {
      const { workers } = options
      if (workers > 1 && !sharedRoles.has(role)) {
        throw new ConfigInvalid(
          `--workers is for the roles ${[...sharedRoles].join(', ')}; ${role} runs in one process`,
        )
      }
      const stop = stopRequested()
      const config = await openConfig(options, 'required')
      // Told to stop while it was still connecting: nothing is at hand that would have to be finished. Of several workers
      // the first may be at work while the last one connects: they are waited for.
      const running = await (workers > 1
        ? startGroup(config, role, workers, stop)
        : Promise.race([startHere(config, role), stop]))
      if (running === undefined) process.exit(exitCodes.done)
      announce(role, running, options)
      let exitCode: number = exitCodes.done
      try {
        await Promise.race([running.done, stop])
      } catch (error) {
        exitCode = reportFailure(error)
      }
      try {
        await stopWithin(running)
      } catch (error) {
        exitCode = reportFailure(error)
      }
      // Libraries may keep idle sockets open; everything of ours is closed by now.
      process.exit(exitCode)
    })
