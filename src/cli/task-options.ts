import type { Command } from 'commander'
import type { Config } from '../config/config.ts'
import { defaultTaskFile } from '../config/default-task-file.ts'
import type { StackAddresses } from '../config/load.ts'
import { packageFile } from './package-root.ts'

export type TaskOptions = { config?: string; json?: boolean }

/** Adds the options that every verb with a task has. */
export const withTaskOptions = (command: Command): Command =>
  command
    .option('-c, --config <file>', `the task file (default: DRIFTLINE_CONFIG, else ${defaultTaskFile})`)
    .option('--json', 'print the result as one JSON object on the last line')

/**
 * Loads the configuration as the options and the environment name it.
 * @param addresses servers that this command has just started; else those of the running local stack
 * @throws ConfigInvalid
 */
export const openConfig = async (
  options: TaskOptions,
  servers: 'none' | 'required',
  addresses?: StackAddresses,
): Promise<Config> => {
  // Loaded when it is needed: reading a task file takes more code than most commands.
  const [{ loadConfig }, { readRunningAddresses }] = await Promise.all([
    import('../config/load.ts'),
    import('../../dev/stack/state.ts'),
  ])
  return loadConfig({
    ...(options.config === undefined ? {} : { configPath: options.config }),
    fallbackPath: packageFile(defaultTaskFile),
    stackAddresses: addresses === undefined ? readRunningAddresses : () => addresses,
    servers,
  })
}
