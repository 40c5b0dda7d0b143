import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { ensureKafkaTools } from '../../dev/stack/console-consumer.ts'
import { withoutPassword } from '../../dev/stack/probes.ts'
import { type RunningStack, stackUp } from '../../dev/stack/stack.ts'
import type { Config } from '../config/config.ts'
import { homeOf, processEnvironment } from '../config/load.ts'
import type { StoryConfig } from '../config/task-schema.ts'
import { ConfigInvalid } from '../errors.ts'
import { createLogger } from '../telemetry/log.ts'
import { ensureBaseModel } from './base-model.ts'
import { exitCodes } from './exit-codes.ts'
import { packageFile } from './package-root.ts'
import type { Progress } from './progress.ts'
import { neededRoles, type RoleName } from './roles/role.ts'
import { describeProgress } from './story/describe-progress.ts'
import { runStory } from './story/run-story.ts'
import { printableStory, problemsOf, remarksOn } from './story/story-result.ts'
import type { RoleSpec } from './supervisor/child-role.ts'
import { createSupervisor, type Supervisor } from './supervisor/supervisor.ts'
import { openConfig, type TaskOptions } from './task-options.ts'
import { untilAborted } from './until-aborted.ts'

export type StartOptions = TaskOptions & { once?: boolean; story: boolean; workers: number; shadow?: boolean }

/** So many windows after its onset a shift as large as the story's has been found: measured, see the drift decision. */
const driftWindows = 3

/** How each role is started: this same program, with a log file. */
const roleSpecs = (config: Config, env: NodeJS.ProcessEnv, roles: readonly RoleName[], workers: number): RoleSpec[] => {
  const logs = join(config.paths.home, 'logs')
  mkdirSync(logs, { recursive: true })
  // One variable names the port, and one the instance, of any role: here they cannot mean all of them.
  const { DRIFTLINE_METRICS_PORT: _, DRIFTLINE_INSTANCE_ID: instance, ...shared } = env
  return roles.map((role) => ({
    name: role,
    args: [
      packageFile('bin', 'driftline.js'),
      ...['run', role, '--config', config.taskFile],
      ...(role === 'score' && workers > 1 ? ['--workers', String(workers)] : []),
    ],
    env: { ...shared, ...(instance === undefined ? {} : { DRIFTLINE_INSTANCE_ID: `${instance}-${role}` }) },
    logFile: join(logs, `${role}.log`),
  }))
}

const addressLines = (config: Config, supervisor: Supervisor, stack: RunningStack): string[] => {
  const ingress = supervisor.role('ingress')?.url()
  const roles = supervisor.roles().map((role) => `${role.name} ${role.url()}/metrics`)
  return [
    `HTTP            ${ingress}   docs ${ingress}/docs   retraining queue ${ingress}/queues`,
    `Kafka           ${stack.addresses.KAFKA_BROKERS}   topics ${config.task.task}.*`,
    `schema registry ${withoutPassword(stack.addresses.SCHEMA_REGISTRY_URL)}`,
    `Redis           ${withoutPassword(stack.addresses.REDIS_URL)}`,
    `metrics         ${roles.join('   ')}`,
    `logs            ${join(config.paths.home, 'logs')}`,
  ]
}

const addressesOf = (supervisor: Supervisor, stack: RunningStack): Record<string, unknown> => ({
  ...stack.addresses,
  roles: Object.fromEntries(supervisor.roles().map((role) => [role.name, role.url()])),
})

/** Plays the story and prints its result as the last line. Returns the exit code. */
const tellStory = async (
  config: Config,
  plan: StoryConfig,
  context: { startedAt: number; progress: Progress; signal: AbortSignal },
): Promise<number> => {
  const { progress, signal } = context
  const logger = createLogger({ name: 'story', level: 'warn', instanceId: config.instanceId })
  const describe = describeProgress(progress)
  const { result, finished } = await runStory(config, plan, {
    startedAt: context.startedAt,
    logger,
    signal,
    onProgress: describe,
    onStage: progress.update,
  })
  progress.stop()
  for (const remark of remarksOn(result, { windowRows: config.task.drift.windowRows, windows: driftWindows })) {
    progress.note(remark)
  }
  const problems = problemsOf(result, { accuracyTolerance: plan.accuracyTolerance, finished })
  for (const problem of problems) progress.note(`problem: ${problem}`)
  console.log(JSON.stringify(printableStory(result)))
  return problems.length === 0 ? exitCodes.done : exitCodes.failed
}

/** The story to play, or null for none. @throws ConfigInvalid */
const storyPlan = async (options: StartOptions): Promise<StoryConfig | null> => {
  const { task, taskFile } = await openConfig(options, 'none')
  if (!options.story) return null
  if (task.story !== undefined) return task.story
  throw new ConfigInvalid(`${taskFile} has no section "story": add one, or start with --no-story`)
}

/**
 * Brings up what is not there, plays the story, and stays until it is told to stop (or, with `once`, until the story
 * is over). What it started it ends again, in the reverse order.
 */
export const startEverything = async (
  options: StartOptions,
  context: { progress: Progress; signal: AbortSignal },
): Promise<number> => {
  const startedAt = Date.now()
  const { progress, signal } = context
  const env = processEnvironment()
  // A mistake in the task file is told before anything is downloaded or started.
  const plan = await storyPlan(options)
  const stack = await stackUp({
    home: homeOf(env),
    env,
    owned: true,
    ports: 'default',
    onProgress: progress.update,
    signal,
  })
  let supervisor: Supervisor | undefined
  try {
    const config = await openConfig(options, 'required', stack.addresses)
    // The story is counted by Kafka's own Java reader, wherever the servers run: what is missing for it is told now.
    if (plan !== null)
      await untilAborted(ensureKafkaTools({ home: config.paths.home, env, onProgress: progress.update }), signal)
    progress.note(
      `servers: Kafka ${stack.addresses.KAFKA_BROKERS}, Redis ${withoutPassword(stack.addresses.REDIS_URL)}`,
    )
    const version = await ensureBaseModel(config, { fromBase: plan !== null, progress, signal })
    progress.note(`model: version ${version} of task ${config.task.task} is in production`)

    const roles: readonly RoleName[] = options.shadow ? [...neededRoles, 'shadow'] : neededRoles
    supervisor = createSupervisor({
      specs: roleSpecs(config, { ...env, ...stack.addresses }, roles, options.workers),
      stateFile: join(config.paths.home, 'roles.json'),
      onEvent: (event) => {
        if (event.type === 'ended')
          progress.note(`${event.role} ended (${event.signal ?? event.code}) and is started again`)
      },
    })
    progress.update(`starting the roles: ${roles.join(', ')}`)
    await supervisor.start(signal)
    progress.note(`roles: ${roles.join(', ')} are ready`)

    const exitCode = plan !== null ? await tellStory(config, plan, { startedAt, progress, signal }) : exitCodes.done
    if (options.once) return exitCode
    for (const line of addressLines(config, supervisor, stack)) progress.note(line)
    if (options.json && plan === null) console.log(JSON.stringify(addressesOf(supervisor, stack)))
    progress.note('everything stays up; Ctrl+C ends it')
    if (!signal.aborted) await once(signal, 'abort')
    return exitCodes.done
  } catch (error) {
    if (signal.aborted) return exitCodes.interrupted
    throw error
  } finally {
    progress.update('stopping')
    try {
      await supervisor?.stop()
    } finally {
      await stack.stop()
      progress.stop()
    }
  }
}
