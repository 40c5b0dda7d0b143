import { Command, CommanderError } from 'commander'
import { exitCodes, reportFailure } from './exit-codes.ts'
import { packageVersion } from './software.ts'

const program = new Command('driftline')
  .description('Event-driven streaming predictions: Kafka in, Kafka out, exactly once.')
  .version(packageVersion())
  .showHelpAfterError('(add --help for what is allowed)')
  .addHelpText(
    'after',
    `
Examples:
  driftline start                     everything on this machine, with the bundled story
  driftline stack up                  only the servers: Kafka, schema registry, Redis
  driftline train && driftline run score
  driftline train --data churn.csv --target churned && driftline score --model driftline-model --in new.csv

Environment:
  KAFKA_BROKERS, SCHEMA_REGISTRY_URL, REDIS_URL   servers of yours; else the local stack
  DRIFTLINE_CONFIG                                the task file, as --config
  DRIFTLINE_HOME                                  where state is kept (.driftline)

Exit codes:
  0 done   1 failed   2 usage or configuration   3 something is missing on this machine
  4 a server cannot be reached   130 interrupted`,
  )

// Each verb is loaded when it is asked for: a command that scores a file needs no Kafka client.
const loaders: Record<string, () => Promise<Command>> = {
  start: async () => (await import('./commands/start.ts')).startCommand(),
  stack: async () => (await import('./commands/stack.ts')).stackCommand(),
  train: async () => (await import('./commands/train.ts')).trainCommand(),
  score: async () => (await import('./commands/score.ts')).scoreCommand(),
  data: async () => (await import('./commands/data.ts')).dataCommand(),
  run: async () => (await import('./commands/run.ts')).runCommand(),
  models: async () => (await import('./commands/models.ts')).modelsCommand(),
  replay: async () => (await import('./commands/replay.ts')).replayCommand(),
  'dead-letters': async () => (await import('./commands/dead-letters.ts')).deadLettersCommand(),
  drift: async () => (await import('./commands/drift.ts')).driftCommand(),
  config: async () => (await import('./commands/config.ts')).configCommand(),
}
const verb = process.argv[2] ?? ''
const wanted = Object.hasOwn(loaders, verb) ? [loaders[verb]!] : Object.values(loaders)
for (const load of wanted) program.addCommand(await load())

// A usage error has been printed by the library already; it only has to become our exit code.
const overrideExit = (command: Command): void => {
  command.exitOverride()
  for (const child of command.commands) overrideExit(child)
}
overrideExit(program)

try {
  await program.parseAsync(process.argv)
} catch (error) {
  // A command that failed midway may have left connections open; nothing is worth waiting for.
  process.exit(error instanceof CommanderError ? (error.exitCode === 0 ? 0 : exitCodes.usage) : reportFailure(error))
}
