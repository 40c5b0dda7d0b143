// A retraining worker that stops at a named point, says so, and waits there to be killed, or for a message to go on.
// Arguments: where to stop (training | stored | promoted), Redis, task, folder.
import { once } from 'node:events'

import { createSqliteHistory } from '../../../src/history/sqlite-history.ts'
import { createFolderStore } from '../../../src/registry/folder-store.ts'
import { createRegistry } from '../../../src/registry/registry.ts'
import { retrain } from '../../../src/retraining/retrain.ts'
import { createRetrainWorker } from '../../../src/retraining/retrain-worker.ts'
import { createMemorySignal } from '../memory-signal.ts'
import { learnThreshold, retrainWorld, rowsFrom, silent } from '../retrain-world.ts'

const [where = '', redisUrl = '', task = '', folder = ''] = process.argv.slice(2)

const stopHere = async (): Promise<void> => {
  process.send?.(where)
  await once(process, 'message')
}

const store = createFolderStore({ root: `${folder}/artefacts` })
const registry = createRegistry({ store, signal: createMemorySignal(), now: Date.now, logger: silent })
const { deps } = await retrainWorld({ rows: [], champion: null })

const worker = createRetrainWorker({
  redisUrl,
  task,
  process: (request, context) =>
    retrain(
      {
        ...deps,
        rows: rowsFrom(createSqliteHistory({ file: `${folder}/history.sqlite` })),
        registry,
        train: async (input) => {
          if (where === 'training') await stopHere()
          return { artefact: learnThreshold(input), timings: { seconds: 1, fit_seconds: {}, artefact_bytes: {} } }
        },
        publish: async ({ type }) => {
          if ((where === 'stored' && type === 'trained') || (where === 'promoted' && type === 'promoted')) {
            await stopHere()
          }
        },
      },
      request,
      context,
    ).finally(() => process.send?.('ended')),
  labelWaitMs: 5000,
  pollMs: 50,
  now: Date.now,
  onOutcome: () => undefined,
  onFailed: ({ error }) => console.error(error),
  logger: silent,
  lockDurationMs: 1000,
})
await worker.start()
