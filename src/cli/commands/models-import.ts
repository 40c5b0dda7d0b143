import { Argument, Command, Option } from 'commander'
import { headlineOf } from '../../models/headline.ts'
import { type ImportedModel, importModel } from '../models/import-model.ts'
import { actor, remarkProblem, withRegistry } from '../models/with-registry.ts'
import { type TaskOptions, withTaskOptions } from '../task-options.ts'
import { nameList } from './train.ts'

type ImportCommandOptions = TaskOptions & { name?: string; columns?: string[]; reason: string; promote?: boolean }

const report = (version: string, { artefact, onDataset, warnings }: ImportedModel, promoted: boolean): void => {
  for (const warning of warnings) console.error(`  note: ${warning}`)
  const { name, family, engine } = artefact.manifest
  const tried =
    onDataset === null
      ? ''
      : `, ${headlineOf(onDataset).metric} ${headlineOf(onDataset).value.toFixed(4)} on the dataset`
  const serves = promoted
    ? 'in production'
    : `stored; promote it with: driftline models promote ${version} --reason ...`
  console.log(`${name} (${family}, ${engine})${tried}\nversion ${version} is ${serves}`)
}

export const importCommand = (): Command =>
  withTaskOptions(new Command('import'))
    .description('take in a model: an ONNX forest, or a folder that "train --out" wrote')
    .addArgument(new Argument('<path>', 'a file that ends with .onnx, or the folder'))
    .option('--name <name>', 'what the model is called (default: its own name, or that of the file)')
    .addOption(
      new Option(
        '--columns <features>',
        'the feature that each column of an ONNX file is, with commas between, where the file does not say so',
      ).argParser(nameList),
    )
    .option('--reason <text>', 'why, for the lineage', 'imported')
    .option('--promote', 'put it in production')
    .addHelpText(
      'after',
      `
From ONNX come forests: TreeEnsembleClassifier and TreeEnsembleRegressor, as scikit-learn's forests and boosted trees are
exported. Nothing in the file is trusted. The features and classes have to be those of the task; the model is loaded,
checked and tried on the task's dataset, and becomes a version. It serves when it is promoted.

Examples:
  driftline models import forest.onnx --name sklearn_forest
  driftline models import driftline-model --promote --reason "tuned by hand" --json`,
    )
    .action((path: string, options: ImportCommandOptions) =>
      withRegistry(options, async (opened) => {
        const { config, registry, task } = opened
        const { reason } = options
        const parent = (await registry.store.readAliases()).aliases.production ?? null
        const imported = await importModel(config, {
          ...{ path, reason, parent, actor: actor() },
          name: options.name ?? null,
          columns: options.columns ?? null,
        })
        const version = await registry.store.addVersion(imported.artefact, imported.run)
        if (options.promote) {
          const result = await registry.promote({ alias: 'production', version, actor: actor(), reason })
          await opened.publishChange('promoted', result)
          remarkProblem(opened)
        }
        const promoted = options.promote === true
        if (!options.json) {
          report(version, imported, promoted)
          return
        }
        const { name, family, engine } = imported.artefact.manifest
        const { onDataset: metrics, warnings } = imported
        console.log(JSON.stringify({ task, version, promoted, name, family, engine, metrics, warnings }))
      }),
    )
