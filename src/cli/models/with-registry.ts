import { userInfo } from 'node:os'
import type { Config } from '../../config/config.ts'
import { describeError } from '../../errors.ts'
import { createRegistry } from '../../registry/registry.ts'
import type { AliasName, AliasResult, AliasState, Registry } from '../../registry/registry-types.ts'
import { createLogger } from '../../telemetry/log.ts'
import { publishAliasChange } from '../model-events.ts'
import { openRegistry } from '../roles/registry-parts.ts'
import { openConfig, type TaskOptions } from '../task-options.ts'

/** What a verb has at hand. `problem` is why the last change was not announced, or null. */
export type OpenedRegistry = {
  readonly task: string
  readonly config: Config
  readonly registry: Registry
  readonly problem: () => string | null
  /** Tells the models topic of a change of production. */
  readonly publishChange: (type: 'promoted' | 'rolled_back', result: AliasResult) => Promise<void>
}

/** Runs a verb with the registry of the task. */
export const withRegistry = async (
  options: TaskOptions,
  use: (opened: OpenedRegistry) => Promise<void>,
): Promise<void> => {
  const config = await openConfig(options, 'none')
  // What a verb did, it prints itself; the log is left for what went wrong.
  const logger = createLogger({ name: 'models', level: 'error', instanceId: config.instanceId })
  const { store, signal } = openRegistry(config, logger)
  let problem: string | null = null
  const watched = {
    ...signal,
    announce: (state: AliasState) =>
      signal.announce(state).catch((error: unknown) => {
        problem = describeError(error)
        throw error
      }),
  }
  const registry = createRegistry({ store, signal: watched, now: Date.now, logger })
  try {
    await use({
      task: config.task.task,
      config,
      registry,
      problem: () => problem,
      publishChange: (type, result) => publishAliasChange(config, type, result),
    })
  } finally {
    await signal.close()
  }
}

/** Who runs this command, for the history. A container may have no name for its user. */
export const actor = (): string => {
  try {
    return `cli:${userInfo().username}`
  } catch {
    return 'cli'
  }
}

/** Says that a change was not announced. That is a remark, not a failure. */
export const remarkProblem = (opened: OpenedRegistry): void => {
  const problem = opened.problem()
  if (problem !== null) console.error(`driftline: not announced, workers find it by polling the store: ${problem}`)
}

/** Prints what a change of an alias led to. */
export const reportChange = (
  alias: AliasName,
  { state }: AliasResult,
  opened: OpenedRegistry,
  options: TaskOptions,
): void => {
  const change = state.history.at(-1)
  remarkProblem(opened)
  if (options.json) {
    console.log(JSON.stringify({ task: opened.task, ...change, announced: opened.problem() === null }))
  } else {
    const before = change?.previous === null ? '' : ` (was ${change?.previous})`
    console.log(`${alias} is now version ${state.aliases[alias]}${before}, epoch ${state.epoch}`)
  }
}
