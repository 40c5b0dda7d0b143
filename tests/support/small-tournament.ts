import { createHash } from 'node:crypto'
import type { Candidate } from '../../src/models/candidate.ts'
import { fitHere } from '../../src/models/fit-here.ts'
import type { ModelArtefact, ModelManifest } from '../../src/models/manifest.ts'
import type { TournamentOptions } from '../../src/models/tournament/tournament-types.ts'
import { trainTournament } from '../../src/models/tournament/train-tournament.ts'
import { candidates, iris, irisClasses, irisSpecs } from './training-rows.ts'

/** A tournament that takes a fraction of a second. */
export const smallTournament = (overrides: Partial<TournamentOptions> = {}): TournamentOptions => ({
  task: 'flowers',
  features: irisSpecs,
  classNames: irisClasses,
  base: iris(),
  seed: 42,
  folds: 3,
  candidates: [candidates.logistic, candidates.forest, candidates.rbf],
  testFraction: 0.2,
  referenceRows: 50,
  parent: null,
  reason: 'initial',
  ...overrides,
})

/** A small model of one family. */
export const smallModel = async (candidate: Candidate): Promise<ModelArtefact> => {
  const { artefact } = await trainTournament(smallTournament({ candidates: [candidate], folds: 2 }), fitHere)
  return artefact
}

/** The artefact with other bytes, and a digest that fits them: damage that a digest does not show. */
export const withBinary = (manifest: ModelManifest, binary: Uint8Array): ModelArtefact => ({
  binary,
  manifest: {
    ...manifest,
    binary: {
      ...manifest.binary,
      bytes: binary.byteLength,
      sha256: createHash('sha256').update(binary).digest('hex'),
    },
  },
})
