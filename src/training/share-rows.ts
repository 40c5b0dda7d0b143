import { setImmediate as yieldToLoop } from 'node:timers/promises'
import type { TrainingRows, TrainingTarget } from '../models/estimator.ts'

/** Copied without a pause: about a millisecond. */
const CHUNK_ELEMENTS = 2 ** 18

/** The same values in memory that threads share, copied with pauses unless they lie there already. */
export const shareArray = async <A extends Float64Array | Int32Array>(values: A): Promise<A> => {
  if (values.buffer instanceof SharedArrayBuffer) return values
  const shared = new (values.constructor as new (buffer: SharedArrayBuffer) => A)(
    new SharedArrayBuffer(values.byteLength),
  )
  for (let from = 0; from < values.length; from += CHUNK_ELEMENTS) {
    if (from > 0) await yieldToLoop()
    shared.set(values.subarray(from, from + CHUNK_ELEMENTS), from)
  }
  return shared
}

const shareTarget = async (target: TrainingTarget): Promise<TrainingTarget> =>
  target.kind === 'classification'
    ? { ...target, labels: await shareArray(target.labels) }
    : { ...target, values: await shareArray(target.values) }

/**
 * The same rows in memory that threads share; arrays that lie there already stay. Large arrays are copied with pauses,
 * so the event loop runs on meanwhile; the rows must not change until then.
 */
export const shareRows = async (rows: TrainingRows): Promise<TrainingRows> => ({
  ...rows,
  features: await shareArray(rows.features),
  categories: await shareArray(rows.categories),
  target: await shareTarget(rows.target),
})
