import { Argument, Command, Option } from 'commander'
import { headlineOf } from '../../models/headline.ts'
import { AliasContention, VersionNotFound } from '../../registry/registry-errors.ts'
import type { AliasName, AliasState, VersionSummary } from '../../registry/registry-types.ts'
import { aliasesOf, describeVersion, isoTime, servesAs, versionText } from '../models/describe-version.ts'
import { actor, reportChange, withRegistry } from '../models/with-registry.ts'
import { aliasNames, resolveVersion } from '../open-model.ts'
import { formatTable } from '../table.ts'
import { type TaskOptions, withTaskOptions } from '../task-options.ts'
import { exportCommand } from './models-export.ts'
import { importCommand } from './models-import.ts'
import { shadowCommand } from './models-shadow.ts'

const summarise = ({ version, manifest, run }: VersionSummary, state: AliasState) => ({
  version,
  aliases: aliasesOf(version, state),
  shadow: state.shadows.includes(version),
  name: manifest.name,
  family: manifest.family,
  engine: manifest.engine,
  test: headlineOf(manifest.metrics.test),
  // A model that was trained elsewhere has seen no folds here.
  cv_mean: manifest.metrics.cv.folds === 0 ? null : manifest.metrics.cv.mean,
  reason: manifest.reason,
  parent: manifest.parent,
  trained_at: run.trained_at,
  bytes: manifest.binary.bytes,
})

const listText = (rows: readonly ReturnType<typeof summarise>[]): string =>
  rows.length === 0
    ? 'no models yet: train the first one with "driftline train"'
    : formatTable([
        ['VERSION', 'ALIASES', 'MODEL', 'TEST', 'CV', 'REASON', 'PARENT', 'TRAINED'],
        ...rows.map((row) => [
          ...[row.version, servesAs(row).join(',') || '-', row.name],
          ...[row.test.value.toFixed(4), row.cv_mean?.toFixed(4) ?? '-'],
          ...[row.reason, row.parent ?? '-', isoTime(row.trained_at)],
        ]),
      ])

const reasonOption = () => new Option('--reason <text>', 'why, for the history').makeOptionMandatory()

export const modelsCommand = (): Command => {
  const command = new Command('models').description('list the models, move them in and out, and say which one serves')

  withTaskOptions(command.command('list'))
    .description('every version, oldest first, the aliases that name it and whether it is a shadow')
    .addHelpText('after', '\nExamples:\n  driftline models list\n  driftline models list --json')
    .action((options: TaskOptions) =>
      withRegistry(options, async ({ task, registry: { store } }) => {
        const state = await store.readAliases()
        const versions = (await store.listVersions()).map((summary) => summarise(summary, state))
        const { epoch, aliases, shadows } = state
        console.log(options.json ? JSON.stringify({ task, epoch, aliases, shadows, versions }) : listText(versions))
      }),
    )

  withTaskOptions(command.command('show'))
    .description('all that is known of one version: figures, importance of features, lineage, history')
    .addArgument(new Argument('<version>', 'its number, or an alias'))
    .addHelpText(
      'after',
      `
The lineage is the SHA-256 of the rows, of the settings and of the code that made it, and the versions that came before
it, up to the first.

Examples:
  driftline models show 3
  driftline models show production --json`,
    )
    .action((named: string, options: TaskOptions) =>
      withRegistry(options, async ({ task, registry: { store } }) => {
        const version = await resolveVersion(store, named)
        // Read as a worker would: this checks every digest.
        const artefact = await store.readVersion(version)
        const versions = await store.listVersions()
        const summary = versions.find((candidate) => candidate.version === version)
        if (summary === undefined) throw new VersionNotFound(`version ${version} cannot be listed: its run is damaged`)
        const described = describeVersion(summary, { artefact, versions, state: await store.readAliases() })
        console.log(options.json ? JSON.stringify({ task, ...described }) : versionText(described))
      }),
    )

  withTaskOptions(command.command('promote'))
    .description('let an alias name a version; workers swap to what production names')
    .addArgument(new Argument('<version>', 'its number'))
    .addOption(new Option('--alias <name>', 'which alias').choices(aliasNames).default('production'))
    .addOption(reasonOption())
    .addHelpText(
      'after',
      `
Examples:
  driftline models promote 3 --reason "better on the new instrument"
  driftline models promote 4 --alias staging --reason "to be looked at"

The version is read and checked first. Promoting the version that serves already makes a new epoch: workers that
refused it try again.`,
    )
    .action((version: string, options: TaskOptions & { alias: AliasName; reason: string }) =>
      withRegistry(options, async (opened) => {
        const { alias, reason } = options
        const result = await opened.registry.promote({ alias, version, actor: actor(), reason })
        if (alias === 'production') await opened.publishChange('promoted', result)
        reportChange(alias, result, opened, options)
      }),
    )

  withTaskOptions(command.command('rollback'))
    .description('set production back to the version it named before')
    .addOption(reasonOption())
    .addHelpText(
      'after',
      `
Example:
  driftline models rollback --reason "accuracy fell"

A second rollback goes one version further back; it does not return to the one that was left.`,
    )
    .action((options: TaskOptions & { reason: string }) =>
      withRegistry(options, async (opened) => {
        const result = await opened.registry.rollback({ actor: actor(), reason: options.reason })
        if (result.status === 'conflict') {
          const now = result.state.aliases.production ?? 'not set'
          throw new AliasContention(
            `somebody moved production to ${now} meanwhile; nothing was rolled back: look with "driftline models list"`,
          )
        }
        await opened.publishChange('rolled_back', result)
        reportChange('production', result, opened, options)
      }),
    )

  command.addCommand(shadowCommand())
  command.addCommand(exportCommand())
  command.addCommand(importCommand())
  return command
}
