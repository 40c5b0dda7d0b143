// Stands in for the training thread; `reason` of its input says what it does.
import { parentPort, workerData } from 'node:worker_threads'

import type { TrainMessage, TrainOrder } from '../../../src/training/train-messages.ts'

const { reason } = (workerData as TrainOrder).input
const tell = (message: TrainMessage): void => parentPort?.postMessage(message)
const [what, amount = '0'] = reason.split(' ')

tell({ type: 'progress', progress: { candidate: 'stub', fold: null, stepsDone: 1, stepsTotal: 2 } })

/** Keeps this thread's loop busy, as a training does. */
const block = (ms: number): void => {
  const end = performance.now() + ms
  while (performance.now() < end);
}

if (what === 'exit') process.exit(3)
if (what === 'memory') {
  const hoard: object[] = []
  for (;;) hoard.push({ kept: [hoard.length, String(hoard.length)] })
}
if (what === 'throw') throw new Error('thrown outside of the training')
block(Number(amount))
tell({ type: 'result', result: { artefact: { manifest: {}, binary: new Uint8Array() }, timings: {} } as never })
