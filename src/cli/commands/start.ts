import { Command } from 'commander'
import { exitCodes } from '../exit-codes.ts'
import { createProgress } from '../progress.ts'
import { type StartOptions, startEverything } from '../start-everything.ts'
import { withTaskOptions } from '../task-options.ts'
import { workerCount } from '../workers/worker-count.ts'

export const startCommand = (): Command =>
  withTaskOptions(new Command('start'))
    .description('run everything on this machine: the servers, every role, and the story of the task')
    .option('--once', 'end after the story: exit code 0 if it went well; the result is the last line, as JSON')
    .option('--no-story', 'only start the servers and the roles')
    .option('--shadow', 'run the role shadow, too: versions that score beside production, to compare')
    .option('--workers <n>', 'scoring processes that share the partitions', workerCount, 1)
    .addHelpText(
      'after',
      `
The story: normal events, then an instrument is recalibrated and features shift. The drift is
detected, a retraining job is queued and run, the new model is swapped in, the accuracy recovers.

Examples:
  driftline start
  driftline start --once
  driftline start --no-story --config tasks/churn.yaml`,
    )
    .action(async (options: StartOptions) => {
      const progress = createProgress()
      const controller = new AbortController()
      const interrupt = (): void => {
        if (controller.signal.aborted) process.exit(exitCodes.interrupted)
        progress.note('stopping (once more to end at once)')
        controller.abort(new Error('interrupted'))
      }
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, interrupt)
      let exitCode: number = exitCodes.failed
      try {
        exitCode = await startEverything(options, { progress, signal: controller.signal })
      } finally {
        progress.stop()
      }
      process.exit(exitCode)
    })
