import { createHash } from 'node:crypto'
import { createScorer } from './create-scorer.ts'
import type { ModelManifest } from './manifest.ts'
import { ArtefactCorrupt } from './model-errors.ts'
import type { Scorer } from './scorer.ts'
import { type Sections, unpackSections } from './sections.ts'

/**
 * The arrays of a stored model, copied, after size and SHA-256 were found to be those of the manifest.
 * @throws ArtefactCorrupt
 */
export const openBinary = (manifest: ModelManifest, binary: Uint8Array): Sections => {
  const { bytes, sha256, sections } = manifest.binary
  if (binary.byteLength !== bytes) {
    throw new ArtefactCorrupt(`the binary has ${binary.byteLength} bytes; its manifest says ${bytes}`)
  }
  const digest = createHash('sha256').update(binary).digest('hex')
  if (digest !== sha256) {
    throw new ArtefactCorrupt(`the binary has SHA-256 ${digest}; its manifest says ${sha256}`)
  }
  return unpackSections(binary, sections)
}

/**
 * Makes a model ready to score whose manifest `checkManifest` has seen. It is apart from `loadScorer` because the check
 * takes more code than the scoring: a thread that scores what was checked elsewhere starts faster without it.
 * @throws ArtefactCorrupt
 */
export const openScorer = (manifest: ModelManifest, binary: Uint8Array): Scorer => {
  const { kind, family, features, categories, classes, standardiser, calibration } = manifest
  return createScorer({
    kind,
    family,
    featureNames: Object.freeze([...features]),
    categories,
    classNames: Object.freeze([...classes]),
    standardiser,
    calibration: calibration?.method ?? null,
    sections: openBinary(manifest, binary),
  })
}
