import { setImmediate as nextTurn } from 'node:timers/promises'
import { AppError, describeError } from '../errors.ts'
import type { GoldenRows, ModelArtefact, ModelManifest } from '../models/manifest.ts'
import type { Scorer } from '../models/scorer.ts'
import { ArtefactCorrupt } from './registry-errors.ts'
import type { ArtefactStore } from './registry-types.ts'

/** What came of loading a version. */
export type LoadResult =
  | { status: 'ready'; manifest: ModelManifest; scorer: Scorer }
  /** `final`: the model itself is at fault, not the way to it, so that trying again at once gives the same. */
  | { status: 'refused'; code: string; reason: string; final: boolean }

/** Compiles a stored model. Throws where it cannot be what the manifest says. */
export type LoadScorer = (manifest: ModelManifest, binary: Uint8Array) => Scorer | Promise<Scorer>

/** Scores the golden rows and throws where a probability differs by more than the tolerance. */
export type VerifyGolden = (scorer: Scorer, golden: GoldenRows) => void | Promise<void>

const warmRows = 512
const warmBlocks = 8
const warmTurnMs = 4

/**
 * Scores some blocks, so that the first real batch does not pay for V8's compilation and for cold memory.
 * It gives way after some milliseconds, because the model that still serves has its batches to score on the same loop;
 * and not after each block, because each time it gives way a busy worker puts a whole batch in between.
 */
const warm = async (scorer: Scorer, golden: GoldenRows): Promise<void> => {
  const columns = scorer.featureNames.length
  const rows = golden.features
  if (rows.length === 0) return
  const features = new Float64Array(warmRows * columns)
  for (let row = 0; row < warmRows; row += 1)
    features.set(
      rows[row % rows.length]!.map((value) => value ?? Number.NaN),
      row * columns,
    )
  const probabilities = new Float64Array(warmRows * scorer.outputs)
  let turnBegan = performance.now()
  for (let block = 0; block < warmBlocks; block += 1) {
    scorer.scoreBlock(features, warmRows, probabilities)
    if (performance.now() - turnBegan < warmTurnMs) continue
    await nextTurn()
    turnBegan = performance.now()
  }
}

const refusal = (error: unknown, otherwise: string, final: boolean): LoadResult => ({
  status: 'refused',
  code: error instanceof AppError ? error.code : otherwise,
  reason: describeError(error),
  final,
})

/** Loads a version until it is ready to serve: read with its digest, compiled, golden rows scored, warmed. */
export const createModelLoader =
  (options: { store: ArtefactStore; loadScorer: LoadScorer; verifyGolden: VerifyGolden }) =>
  async (version: string): Promise<LoadResult> => {
    let artefact: ModelArtefact
    try {
      artefact = await options.store.readVersion(version)
    } catch (error) {
      // Also a missing version may appear yet: not every file system shows a new name everywhere at once.
      return refusal(error, 'ARTEFACT_UNREADABLE', error instanceof ArtefactCorrupt)
    }
    const { manifest, binary } = artefact
    try {
      const scorer = await options.loadScorer(manifest, binary)
      await nextTurn()
      await options.verifyGolden(scorer, manifest.golden)
      await warm(scorer, manifest.golden)
      return { status: 'ready', manifest, scorer }
    } catch (error) {
      return refusal(error, 'MODEL_INVALID', true)
    }
  }
