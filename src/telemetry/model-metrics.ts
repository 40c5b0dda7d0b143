import type { Instruments } from './instruments.ts'
import { modelDefinitions } from './roles-catalogue.ts'

/** The model that a process serves with: which, since which epoch, and how its swaps went. */
export type ModelMetrics = {
  /** A model was loaded, verified and now serves. */
  readonly swapped: (model: { version: string; epoch: number; loadSeconds: number }) => void
  /** A model was refused; the one before serves on. */
  readonly rejected: () => void
}

export const createModelMetrics = (make: Instruments): ModelMetrics => {
  const info = make.gauge(modelDefinitions.info)
  const epochGauge = make.gauge(modelDefinitions.epoch)
  const swaps = make.counter(modelDefinitions.swaps)
  const loads = make.histogram(modelDefinitions.loadSeconds)
  // Both results exist from the start: a rate over a series that begins at 1 misses its first event.
  swaps.inc({ result: 'swapped' }, 0)
  swaps.inc({ result: 'rejected' }, 0)
  return {
    swapped: ({ version, epoch, loadSeconds }) => {
      info.reset()
      info.set({ version }, 1)
      epochGauge.set(epoch)
      swaps.inc({ result: 'swapped' })
      loads.observe(loadSeconds)
    },
    rejected: () => swaps.inc({ result: 'rejected' }),
  }
}
