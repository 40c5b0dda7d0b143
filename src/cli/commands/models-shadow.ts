import { Argument, Command, Option } from 'commander'
import { headlineOf } from '../../models/headline.ts'
import type { AliasState, ShadowChange, VersionSummary } from '../../registry/registry-types.ts'
import { isoTime } from '../models/describe-version.ts'
import { actor, type OpenedRegistry, remarkProblem, withRegistry } from '../models/with-registry.ts'
import { resolveVersion } from '../open-model.ts'
import { formatTable } from '../table.ts'
import { type TaskOptions, withTaskOptions } from '../task-options.ts'

type ChangeOptions = TaskOptions & { reason: string }

const versionArgument = () => new Argument('<version>', 'its number, or an alias')

const shadowsText = (shadows: readonly string[]): string =>
  shadows.length === 0 ? 'no shadows are left' : `shadows: ${shadows.join(', ')}`

const change = async (
  what: ShadowChange['change'],
  named: string,
  options: ChangeOptions,
  opened: OpenedRegistry,
): Promise<void> => {
  const { registry, task } = opened
  const version = await resolveVersion(registry.store, named)
  const { reason } = options
  const { status, state } = await registry.changeShadow({ change: what, version, actor: actor(), reason })
  const { epoch, shadows } = state
  remarkProblem(opened)
  if (options.json) {
    const announced = opened.problem() === null
    console.log(JSON.stringify({ task, change: status === 'set' ? what : 'none', version, epoch, shadows, announced }))
    return
  }
  const unchanged = what === 'added' ? 'is a shadow already' : 'is no shadow'
  console.log(`version ${version} ${status === 'set' ? `${what}, epoch ${epoch}` : unchanged}; ${shadowsText(shadows)}`)
}

/** A shadow as the list shows it: when it joined, and what it is where it can still be read. */
const describeShadow = (version: string, { history }: AliasState, versions: readonly VersionSummary[]) => {
  const joined = history.findLast(({ alias, version: changed }) => alias === 'shadow' && changed === version)
  const manifest = versions.find((summary) => summary.version === version)?.manifest
  return {
    version,
    name: manifest?.name ?? null,
    test: manifest === undefined ? null : headlineOf(manifest.metrics.test),
    since: joined?.at ?? null,
    actor: joined?.actor ?? null,
    reason: joined?.reason ?? null,
  }
}

const listText = (shadows: readonly ReturnType<typeof describeShadow>[]): string =>
  shadows.length === 0
    ? 'no shadows: add one with "driftline models shadow add"'
    : formatTable([
        ['VERSION', 'MODEL', 'TEST', 'SINCE', 'BY', 'REASON'],
        ...shadows.map(({ version, name, test, since, actor: by, reason }) => [
          ...[version, name ?? 'cannot be read', test?.value.toFixed(4) ?? '-'],
          ...[since === null ? '-' : isoTime(since), by ?? '-', reason ?? '-'],
        ]),
      ])

/** `driftline models shadow`. */
export const shadowCommand = (): Command => {
  const command = new Command('shadow').description('versions that score every event beside production, to compare')
  const verb = (name: string) => withTaskOptions(command.command(name))
  const reason = () => new Option('--reason <text>', 'why, for the history').makeOptionMandatory()

  verb('add')
    .description('let a version score every event, too')
    .addArgument(versionArgument())
    .addOption(reason())
    .addHelpText(
      'after',
      `
The role "shadow" scores with it (driftline run shadow, or driftline start --shadow) and writes to the topic
<task>.shadow-predictions; nobody acts on those. How often it disagrees with production is among the role's metrics.

Examples:
  driftline models shadow add 5 --reason "a deeper forest, before it is promoted"
  driftline models shadow add candidate --reason "watched for a week" --json`,
    )
    .action((version: string, options: ChangeOptions) =>
      withRegistry(options, (opened) => change('added', version, options, opened)),
    )

  verb('remove')
    .description('let a version score no longer as a shadow')
    .addArgument(versionArgument())
    .addOption(reason())
    .addHelpText('after', '\nExample:\n  driftline models shadow remove 5 --reason "it was promoted"')
    .action((version: string, options: ChangeOptions) =>
      withRegistry(options, (opened) => change('removed', version, options, opened)),
    )

  verb('list')
    .description('the shadows, in the order in which they joined')
    .addHelpText('after', '\nExamples:\n  driftline models shadow list\n  driftline models shadow list --json')
    .action((options: TaskOptions) =>
      withRegistry(options, async ({ task, registry: { store } }) => {
        const state = await store.readAliases()
        const versions = state.shadows.length === 0 ? [] : await store.listVersions()
        const shadows = state.shadows.map((version) => describeShadow(version, state, versions))
        console.log(options.json ? JSON.stringify({ task, epoch: state.epoch, shadows }) : listText(shadows))
      }),
    )

  return command
}
