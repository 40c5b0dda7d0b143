import { Type } from 'typebox'
import { Value } from 'typebox/value'
import type { RunRecord } from '../models/manifest.ts'
import { ArtefactCorrupt } from '../models/model-errors.ts'

const Quantities = Type.Record(Type.String(), Type.Number({ minimum: 0 }))

const Issue = Type.Object({
  severity: Type.Union([Type.Literal('error'), Type.Literal('warning')]),
  code: Type.String(),
  feature: Type.Union([Type.String(), Type.Null()]),
  message: Type.String(),
  remedy: Type.String(),
})

const RunSchema = Type.Object({
  // The greatest time that a Date holds.
  trained_at: Type.Integer({ minimum: 0, maximum: 8.64e15 }),
  trained_by: Type.String(),
  seconds: Type.Number({ minimum: 0 }),
  fit_seconds: Quantities,
  artefact_bytes: Quantities,
  node: Type.String(),
  driftline: Type.String(),
  lineage: Type.Optional(Type.Object({ data: Type.String(), parameters: Type.String(), code: Type.String() })),
  validation: Type.Optional(Type.Object({ rows: Type.Integer(), features: Type.Integer(), issues: Type.Array(Issue) })),
  imported_from: Type.Optional(Type.String()),
})

const readJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
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
export const decodeRun = (text: string, place: string): RunRecord => {
  const value = readJson(text)
  if (Value.Check(RunSchema, value)) return value as unknown as RunRecord
  throw new ArtefactCorrupt(`${place} is no record of a training: take a whole copy of the folder, or remove this file`)
}
