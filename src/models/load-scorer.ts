import type { ModelManifest } from './manifest.ts'
import { checkManifest } from './manifest-codec.ts'
import { openScorer } from './open-scorer.ts'
import type { Scorer } from './scorer.ts'

export { openBinary } from './open-scorer.ts'

/**
 * Makes a stored model ready to score. Nothing in either part is trusted: a model that this accepts gives finite
 * probabilities that sum to 1 for any row.
 * @throws ArtefactCorrupt
 */
export const loadScorer = (manifest: ModelManifest, binary: Uint8Array): Scorer =>
  openScorer(checkManifest(manifest), binary)
