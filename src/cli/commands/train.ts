import { Command, InvalidArgumentError, Option } from 'commander'
import { ConfigInvalid } from '../../errors.ts'
import { VALIDATION_CODES, type ValidationCode } from '../../features/validate/validation-report.ts'
import { MAX_UNASKED_SVM_ROWS } from '../ad-hoc/ad-hoc-candidates.ts'
import { MAX_NUMBERED_CLASSES } from '../ad-hoc/ad-hoc-task.ts'
import { parameterNames, withParameterOptions } from '../parameter-options.ts'
import { withTaskOptions } from '../task-options.ts'
import { type AdHocTrainOptions, trainFromFile } from '../train-from-file.ts'
import { type TaskTrainOptions, trainTask } from '../train-task.ts'

type TrainOptions = TaskTrainOptions & Partial<AdHocTrainOptions>

/** Options of the one way to train that the other does not have. */
const ofTask = ['config', 'promote', 'onlyIfNone', 'force'] as const
const ofFile = [
  ...(['target', 'holdout', 'family', 'engine', 'task', 'ignore', 'calibration', 'seed', 'folds', 'out'] as const),
  ...parameterNames,
]

const flagOf = (command: Command, name: string): string =>
  command.options.find((option) => option.attributeName() === name)?.long ?? name

export const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text)
    if (text.trim() !== '' && Number.isInteger(value) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`it has to be a whole number from ${least} to ${most}.`)
  }

export const nameList = (text: string): string[] => text.split(',').map((name) => name.trim())

export const codeList = (text: string): ValidationCode[] => {
  const codes = nameList(text)
  const unknown = codes.find((code) => !VALIDATION_CODES.some((known) => known === code))
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`${unknown} is none of ${VALIDATION_CODES.join(', ')}.`)
  }
  return codes as ValidationCode[]
}

const train = async (options: TrainOptions, command: Command): Promise<void> => {
  const given = (name: string): boolean => command.getOptionValueSource(name) === 'cli'
  if (options.data === undefined) {
    const stray = ofFile.find(given)
    if (stray !== undefined)
      throw new ConfigInvalid(`${flagOf(command, stray)} goes with --data; a task file says it otherwise`)
    await trainTask(options)
    return
  }
  const stray = ofTask.find(given)
  if (stray !== undefined)
    throw new ConfigInvalid(`${flagOf(command, stray)} belongs to a task file and does not go with --data`)
  const { data, target } = options
  if (target === undefined) throw new ConfigInvalid('--data needs --target, the column that is to be predicted')
  await trainFromFile({ ...options, data, target } as AdHocTrainOptions)
}

export const trainCommand = (): Command => {
  const command = withTaskOptions(new Command('train'))
    .description('train on the dataset of a task, or on a CSV file without any configuration')
    .option('--promote', 'put the version in production even if another one is there')
    .option('--only-if-none', 'do nothing if a version is in production')
    .option('--reason <text>', 'why, for the lineage', 'manual')
    .option('--force', 'train even if data, parameters and code are those of the last time')
    .addOption(
      new Option('--accept <codes>', 'errors of the validation that are meant to be so, with commas between')
        .argParser(codeList)
        .default([], 'none'),
    )
    .addOption(new Option('--data <file>', 'a CSV file with a header').helpGroup('Without a task file:'))
    .addOption(new Option('--target <column>', 'what is to be predicted').helpGroup('Without a task file:'))
    .addOption(
      new Option('--holdout <file>', 'rows to test with; else a fifth of the data').helpGroup('Without a task file:'),
    )
    .addOption(
      new Option('--task <kind>', 'overrides what the values of the target suggest')
        .choices(['classification', 'regression'])
        .helpGroup('Without a task file:'),
    )
    .addOption(
      new Option('--ignore <columns>', 'columns that are no features, with commas between')
        .argParser(nameList)
        .default([], 'none')
        .helpGroup('Without a task file:'),
    )
    .addOption(
      new Option('--family <family>', 'what is trained; else every family that fits, and the best is taken')
        .choices(['forest', 'svm', 'logistic', 'ridge'])
        .helpGroup('Without a task file:'),
    )
    .addOption(
      new Option('--engine <engine>', 'what trains it; else the first of the family')
        .choices(['histogram', 'ml-random-forest', 'libsvm', 'ml-svm', 'lbfgs', 'ml-logistic-regression', 'cholesky'])
        .helpGroup('Without a task file:'),
    )
    .addOption(
      new Option('--calibration <method>', 'how the probabilities of classes are corrected')
        .choices(['none', 'platt', 'isotonic'])
        .default('none')
        .helpGroup('Without a task file:'),
    )
    .addOption(
      new Option('--seed <number>', 'every random choice follows from it')
        .argParser(wholeNumber(0, 2 ** 32 - 1))
        .default(42)
        .helpGroup('Without a task file:'),
    )
    .addOption(
      new Option('--folds <number>', 'folds of the cross-validation')
        .argParser(wholeNumber(2, 20))
        .default(5)
        .helpGroup('Without a task file:'),
    )
    .addOption(
      new Option('--out <folder>', 'where the model goes').default('driftline-model').helpGroup('Without a task file:'),
    )
  return withParameterOptions(command)
    .addHelpText(
      'after',
      `
With a task file: the rows are validated, the candidates trained, the best one registered as a version; the first
version goes into production by itself. A step whose data, parameters and code are those of the last time is not run
again and says so.

With --data: every other column is a feature, a number or a category (text, up to 255 names); an empty field is missing.
The target is a class where it holds text or at most ${MAX_NUMBERED_CLASSES} different whole numbers, else a number; --task overrides that.
Without --family all families that fit compete, the SVM on up to ${MAX_UNASKED_SVM_ROWS} rows. The model folder goes into
"driftline score --model" and "driftline models import". With --json the last line is
{name, family, engine, fit_seconds, metrics, path, ...}: the winner's fit on all training rows, and accuracy or r2 on
the rows that were held out.

Examples:
  driftline train
  driftline train --config tasks/churn.yaml --promote --reason "more data"
  driftline train --data churn.csv --target churned
  driftline train --data train.csv --holdout test.csv --target price --family forest --trees 300 --json | tail -1`,
    )
    .action((options: TrainOptions) => train(options, command))
}
