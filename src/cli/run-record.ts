import type { RunRecord } from '../models/manifest.ts'
import { ArtefactCorrupt } from '../models/model-errors.ts'
import { list, literal, nothing, number, object, oneOf, optional, record, text, whole } from '../models/shape.ts'

const Quantities = record(number({ minimum: 0 }))

const Issue = object({
  severity: oneOf(literal('error'), literal('warning')),
  code: text(),
  feature: oneOf(text(), nothing()),
  message: text(),
  remedy: text(),
})

const RunShape = object({
  // The greatest time that a Date holds.
  trained_at: whole({ minimum: 0, maximum: 8.64e15 }),
  trained_by: text(),
  seconds: number({ minimum: 0 }),
  fit_seconds: Quantities,
  artefact_bytes: Quantities,
  node: text(),
  driftline: text(),
  lineage: optional(object({ data: text(), parameters: text(), code: text() })),
  validation: optional(object({ rows: whole(), features: whole(), issues: list(Issue) })),
  imported_from: optional(text()),
})

const readJson = (json: string): unknown => {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

/**
 * Reads the record of a training from a file that may come from anywhere: one that is stored with a version is shown by
 * commands ever after.
 * @param place what errors call the file
 * @throws ArtefactCorrupt
 */
export const decodeRun = (json: string, place: string): RunRecord => {
  const value = readJson(json)
  if (RunShape(value) === null) return value as RunRecord
  throw new ArtefactCorrupt(`${place} is no record of a training: take a whole copy of the folder, or remove this file`)
}
