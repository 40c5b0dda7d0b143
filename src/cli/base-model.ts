import type { Config } from '../config/config.ts'
import { headlineOf } from '../models/headline.ts'
import { jobIdOfActor } from '../retraining/retrain-actor.ts'
import { createLogger } from '../telemetry/log.ts'
import { publishAliasChange, withModelEvents } from './model-events.ts'
import type { Progress } from './progress.ts'
import { fitsTask, openRegistry } from './roles/registry-parts.ts'
import { trainVersion } from './training.ts'

/**
 * Makes sure that a model is in production; trains the first one if there is none.
 * @param options.fromBase a story begins with a model of the base data: one that a former story left in production
 *   would see the normal events as drift
 * @returns the version in production
 */
export const ensureBaseModel = async (
  config: Config,
  options: { fromBase: boolean; progress: Progress; signal: AbortSignal },
): Promise<string> => {
  const { progress, signal: abort } = options
  const logger = createLogger({ name: 'start', level: 'warn', instanceId: config.instanceId })
  const { store, registry, signal } = openRegistry(config, logger)
  try {
    const { aliases, history } = await store.readAliases()
    const versions = await store.listVersions()
    const present = versions.find(({ version }) => version === aliases.production)
    if (present === undefined) {
      const trained = await withModelEvents(config, (publish) =>
        trainVersion(config, {
          registry,
          publish,
          actor: 'start',
          reason: 'initial',
          // Production may name a version that cannot be read any more; it serves nobody.
          promote: 'always',
          signal: abort,
          onProgress: ({ candidate, stepsDone, stepsTotal }) =>
            progress.update(`training ${candidate}: ${stepsDone} of ${stepsTotal} fits`),
        }),
      )
      const { name, metrics } = trained.manifest
      const { metric, value } = headlineOf(metrics.test)
      const how = trained.trained ? 'trained version' : 'nothing has changed since version'
      progress.note(`${how} ${trained.version}: ${name}, test ${metric} ${value.toFixed(4)}`)
      return trained.version
    }
    if (!options.fromBase) return present.version
    const base = versions.findLast(({ manifest }) => manifest.reason === 'initial' && fitsTask(manifest, config.task))
    const lastChange = history.findLast(({ alias }) => alias === 'production')
    // Only what a job of a former story put there is taken back: a model that a person chose stays.
    if (base === undefined || lastChange === undefined || jobIdOfActor(lastChange.actor) === null)
      return present.version
    const result = await registry.promote({
      alias: 'production',
      version: base.version,
      actor: 'start',
      reason: 'the story begins with the model of the base data',
    })
    await publishAliasChange(config, 'promoted', result)
    progress.note(
      `version ${present.version}, of an earlier retraining, gives way to version ${base.version}: the story begins with it`,
    )
    return base.version
  } finally {
    await signal.close()
  }
}
