import { Command, Option } from 'commander'
import { ConfigInvalid } from '../../errors.ts'
import { validateDataset } from '../../features/validate/validate-dataset.ts'
import { errorsOf, type ValidationCode, type ValidationReport } from '../../features/validate/validation-report.ts'
import { readAdHocRows } from '../ad-hoc/ad-hoc-rows.ts'
import { HOLDOUT_FRACTION } from '../ad-hoc/ad-hoc-training.ts'
import { readTaskDataset } from '../dataset.ts'
import { exitCodes } from '../exit-codes.ts'
import { openConfig, type TaskOptions, withTaskOptions } from '../task-options.ts'
import { validateTaskRows } from '../validate-task-rows.ts'
import { validationText } from '../validation-text.ts'
import { codeList, nameList } from './train.ts'

const FOLDS = 5

type CheckOptions = TaskOptions & {
  data?: string
  target?: string
  task?: 'classification' | 'regression'
  ignore: string[]
  accept: ValidationCode[]
}

const checkRows = async (options: CheckOptions): Promise<ValidationReport> => {
  const { data, target, accept, ignore, task } = options
  if (data === undefined) {
    if (target !== undefined) throw new ConfigInvalid('--target goes with --data; a task file names its own')
    const config = await openConfig(options, 'none')
    return validateTaskRows(config, await readTaskDataset(config), accept)
  }
  if (target === undefined) throw new ConfigInvalid('--data needs --target, the column that is to be predicted')
  const rows = await readAdHocRows({ data, target, ignore, ...(task === undefined ? {} : { kind: task }) })
  const { features } = rows.task
  return validateDataset(rows.base, { features, folds: FOLDS, testFraction: HOLDOUT_FRACTION, accept })
}

export const dataCommand = (): Command => {
  const command = new Command('data').description('look at the rows that models are trained on')

  withTaskOptions(command.command('check'))
    .description('validate rows as a training does, without training')
    .option('--data <file>', 'a CSV file with a header, instead of the dataset of a task')
    .option('--target <column>', 'with --data: what is to be predicted')
    .addOption(
      new Option('--task <kind>', 'with --data: overrides what the values of the target suggest').choices([
        'classification',
        'regression',
      ]),
    )
    .addOption(
      new Option('--ignore <columns>', 'with --data: columns that are no features')
        .argParser(nameList)
        .default([], 'none'),
    )
    .addOption(
      new Option('--accept <codes>', 'errors that are meant to be so, with commas between')
        .argParser(codeList)
        .default([], 'none'),
    )
    .addHelpText(
      'after',
      `
Errors refuse a training: values that are missing, infinite or out of range, classes with too few rows, a target that
is always the same, a feature that gives the target away. Warnings do not. Exit code 1 where there are errors.

Examples:
  driftline data check
  driftline data check --config tasks/churn.yaml --json
  driftline data check --data churn.csv --target churned --accept LABEL_LEAKAGE`,
    )
    .action(async (options: CheckOptions) => {
      const report = await checkRows(options)
      console.log(options.json ? JSON.stringify(report) : validationText(report))
      if (errorsOf(report).length > 0) process.exitCode = exitCodes.failed
    })

  return command
}
