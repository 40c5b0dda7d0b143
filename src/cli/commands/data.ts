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
import { codeList, nameList, wholeNumber } from './train.ts'

type CheckOptions = TaskOptions & {
  data?: string
  target?: string
  task?: 'classification' | 'regression'
  ignore: string[]
  folds: number
  accept: ValidationCode[]
}

/** Options that say of a file what a task file says itself. */
const ofFile = ['target', 'task', 'ignore', 'folds'] as const

const checkRows = async (options: CheckOptions, command: Command): Promise<ValidationReport> => {
  const { data, target, accept, ignore, task, folds } = options
  if (data === undefined) {
    const stray = ofFile.find((name) => command.getOptionValueSource(name) === 'cli')
    if (stray !== undefined) throw new ConfigInvalid(`--${stray} goes with --data; a task file says it otherwise`)
    const config = await openConfig(options, 'none')
    return validateTaskRows(config, await readTaskDataset(config), accept)
  }
  if (options.config !== undefined) {
    throw new ConfigInvalid('--config names a task with data of its own and does not go with --data')
  }
  if (target === undefined) throw new ConfigInvalid('--data needs --target, the column that is to be predicted')
  const rows = await readAdHocRows({ data, target, ignore, ...(task === undefined ? {} : { kind: task }) })
  const { features } = rows.task
  return validateDataset(rows.base, { features, folds, testFraction: HOLDOUT_FRACTION, accept })
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
      new Option('--folds <number>', 'with --data: folds of the cross-validation to come')
        .argParser(wholeNumber(2, 20))
        .default(5),
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
    .action(async (options: CheckOptions, itself: Command) => {
      const report = await checkRows(options, itself)
      console.log(options.json ? JSON.stringify(report) : validationText(report))
      if (errorsOf(report).length > 0) process.exitCode = exitCodes.failed
    })

  return command
}
