import { Argument, Command, Option } from 'commander'
import { type ExportFormat, exportModel, exportName } from '../models/export-model.ts'
import { openModel } from '../open-model.ts'
import { type TaskOptions, withTaskOptions } from '../task-options.ts'

type ExportOptions = TaskOptions & { format: ExportFormat; out?: string }

export const exportCommand = (): Command =>
  withTaskOptions(new Command('export'))
    .description('write a model as ONNX, or as a JavaScript module without dependencies')
    .addArgument(new Argument('<version>', 'its number, an alias, or a folder that "train --out" wrote'))
    .addOption(new Option('--format <format>', 'what is written').choices(['onnx', 'js']).makeOptionMandatory())
    .option('-o, --out <file>', 'the file to write (default: <task>-<version>.onnx or .mjs)')
    .addHelpText(
      'after',
      `
Both give the scores of the model itself, standardiser and calibration included. The ONNX file takes the features as
float64 rows; the module exports score(), featureNames and classNames and runs in browsers, edge workers and Node.

Examples:
  driftline models export production --format onnx
  driftline models export 3 --format js --out churn.mjs --json`,
    )
    .action(async (named: string, options: ExportOptions) => {
      const { artefact, source, version } = await openModel(named, options)
      const { format } = options
      const out = options.out ?? exportName(artefact, format, version)
      const bytes = await exportModel(artefact, { format, out, version })
      if (options.json) console.log(JSON.stringify({ model: source, version, format, out, bytes }))
      else console.log(`${source} is in ${out}, ${bytes} bytes`)
    })
