import { Command, Option } from 'commander'
import { ConfigInvalid } from '../../errors.ts'
import { createLogger } from '../../telemetry/log.ts'
import { exitCodes } from '../exit-codes.ts'
import { createProgress, type Progress } from '../progress.ts'
import { reportText } from '../replay/replay-report.ts'
import { parseReplayTime, type ReplayTime } from '../replay/replay-time.ts'
import { runReplay } from '../replay/run-replay.ts'
import { openConfig, type TaskOptions, withTaskOptions } from '../task-options.ts'

/** A time as it was typed, and what it means. */
type TimeOption = { text: string; time: ReplayTime }

type ReplayOptions = TaskOptions & {
  from: TimeOption
  to: TimeOption
  model: string
  toTopic?: string
  restart?: boolean
}

/** Aborted by the first Ctrl+C or SIGTERM; the second one ends the process. */
const interruption = (progress: Progress): AbortSignal => {
  const controller = new AbortController()
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted)
    progress.note('stopping after the batch at hand (once more to end at once)')
    controller.abort(new Error('interrupted'))
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, interrupt)
  return controller.signal
}

const replay = async (options: ReplayOptions): Promise<void> => {
  const { from, to, model, toTopic = null, restart = false } = options
  if (restart && toTopic === null) throw new ConfigInvalid('--restart is for a replay that writes: name a --to-topic')
  const config = await openConfig(options, 'required')
  const logger = createLogger({ name: 'replay', level: 'warn', instanceId: config.instanceId })
  const progress = createProgress()
  try {
    const report = await runReplay(
      config,
      { asked: { from: from.text, to: to.text, model }, from: from.time, to: to.time, toTopic, restart },
      { logger, update: progress.update, signal: interruption(progress) },
    )
    progress.stop()
    console.log(options.json ? JSON.stringify(report) : reportText(report))
  } finally {
    progress.stop()
  }
}

const timeOption = (flags: string, description: string, now: number): Option =>
  new Option(flags, description)
    .argParser((text): TimeOption => ({ text, time: parseReplayTime(text, now) }))
    .makeOptionMandatory()

/** @param now what relative times are relative to, ms since the epoch */
export const replayCommand = (now: number = Date.now()): Command =>
  withTaskOptions(new Command('replay'))
    .description('score past events again with any model version, and compare with what was published')
    .addOption(timeOption('--from <time>', 'the first event: a time, or earliest', now))
    .addOption(timeOption('--to <time>', 'up to here, excluded: a time, or latest', now))
    .requiredOption('-m, --model <version>', 'a version or an alias')
    .option('--to-topic <topic>', 'write the predictions to this topic, exactly once; else they are only compared')
    .option('--restart', 'forget a replay into that topic that was begun; the topic has to be empty')
    .addHelpText(
      'after',
      `
A time is that of the record on <task>.features: ISO-8601 with a zone (2030-01-31T12:00:00Z), a date, or how long ago
(-90s, -15m, -2h, -7d).

With --to-topic the topic is made with as many partitions as <task>.features has; its predictions have the role
"candidate". What cannot be scored goes to <topic>.dead-letters. The same command goes on with a replay that was ended
midway: with the same events and the same version, whatever the times and the alias would mean by then. Nobody but you
reads the topic, and the live predictions are never written to.

The agreement joins the replayed predictions with the published ones of the same events: the share of equal classes, the
classes of one side by those of the other, and how far the probabilities are apart; of numbers, how far the numbers are.
With --json the last line is
{task, model_version, from, to, ranges, to_topic, group, went_on, written, refused, only_published, only_replayed,
overall, by_published_version, republished, seconds}.

Examples:
  driftline replay --from -2h --to latest --model candidate
  driftline replay --from 2030-01-31T00:00:00Z --to 2030-02-01T00:00:00Z --model 3 --json
  driftline replay --from earliest --to latest --model 7 --to-topic again.version-7`,
    )
    .action(replay)
