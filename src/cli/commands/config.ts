import { Command } from 'commander'
import { type TargetConfig, TaskSchema } from '../../config/task-schema.ts'
import { openConfig, type TaskOptions, withTaskOptions } from '../task-options.ts'

const describeTarget = (target: TargetConfig): string =>
  target.type === 'classification' ? `${target.classes.length} classes` : `the number ${target.name}`

export const configCommand = (): Command => {
  const command = new Command('config').description('check and describe the task file')

  withTaskOptions(command.command('check'))
    .description('validate a task file; a mistake is named with its line and what is allowed')
    .addHelpText(
      'after',
      '\nExamples:\n  driftline config check\n  driftline config check --config tasks/churn.yaml --json',
    )
    .action(async (options: TaskOptions) => {
      const { task, taskFile } = await openConfig(options, 'none')
      if (options.json) console.log(JSON.stringify(task))
      else {
        console.log(
          `${taskFile} is valid: task ${task.task}, ${task.features.length} features, ` +
            `${describeTarget(task.target)}, ${task.training.candidates.length} candidates`,
        )
      }
    })

  withTaskOptions(command.command('schema'))
    .description('print the JSON Schema of task files, for editors; it is the same for every task')
    .addHelpText('after', '\nExample:\n  driftline config schema > driftline.schema.json')
    .action(() => console.log(JSON.stringify(TaskSchema, null, 2)))

  return command
}
