import { constants, existsSync } from 'node:fs'
import { access, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ConfigInvalid } from '../errors.ts'
import { loadScorer } from '../models/load-scorer.ts'
import type { ModelArtefact, RunRecord } from '../models/manifest.ts'
import { decodeManifest, encodeManifest } from '../models/manifest-codec.ts'
import { ArtefactCorrupt } from '../models/model-errors.ts'
import { verifyGolden } from '../models/verify-golden.ts'
import { decodeRun } from './run-record.ts'

const names = { manifest: 'manifest.json', binary: 'model.bin', run: 'run.json' } as const

/** Larger than any model; a file beyond it is none. */
const MAX_MODEL_BYTES = 2 ** 31

/**
 * Looks whether a model folder can be written, before it is known what goes into it.
 * @throws ConfigInvalid
 */
export const checkModelFolder = async (folder: string): Promise<void> => {
  // What is there already of the path.
  let place = folder
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place)
  const isFolder = (await stat(place)).isDirectory()
  const mayWrite = await access(place, constants.W_OK).then(
    () => true,
    () => false,
  )
  if (isFolder && mayWrite) return
  throw new ConfigInvalid(
    `the model cannot be written to ${folder}: ${place} ${isFolder ? 'is not yours to write to' : 'is no folder'}; name another folder with --out`,
  )
}

/**
 * Writes a model into a folder of its own: manifest.json, model.bin and run.json. The manifest comes last, so a folder
 * with one is whole.
 */
export const writeModelFolder = async (
  folder: string,
  { manifest, binary }: ModelArtefact,
  run: RunRecord,
): Promise<void> => {
  await mkdir(folder, { recursive: true })
  await rm(join(folder, names.manifest), { force: true })
  await writeFile(join(folder, names.binary), binary)
  await writeFile(join(folder, names.run), `${JSON.stringify(run, null, 2)}\n`)
  await writeFile(join(folder, `${names.manifest}.tmp`), encodeManifest(manifest))
  await rename(join(folder, `${names.manifest}.tmp`), join(folder, names.manifest))
}

/**
 * Reads a model folder and does what a worker does before it serves a model: digest, arrays, golden rows.
 * @param path the folder, or its manifest.json
 * @throws ConfigInvalid where there is no such folder, ArtefactCorrupt, GoldenRowsDiffer
 */
export const readModelFolder = async (path: string): Promise<{ artefact: ModelArtefact; run: RunRecord | null }> => {
  const folder = path.endsWith(names.manifest) ? dirname(path) : path
  const read = async (name: string): Promise<Uint8Array> => {
    const bytes = await readFile(join(folder, name)).catch((cause: unknown) => {
      throw new ConfigInvalid(
        `${folder} is no model folder: ${name} cannot be read; "driftline train --data F --target C --out DIR" writes one`,
        { cause },
      )
    })
    return new Uint8Array(bytes)
  }
  const manifest = decodeManifest(await read(names.manifest))
  if (manifest.binary.bytes > MAX_MODEL_BYTES) {
    throw new ArtefactCorrupt(`the manifest in ${folder} names a binary of ${manifest.binary.bytes} bytes`)
  }
  const binary = await read(names.binary)
  verifyGolden(loadScorer(manifest, binary), manifest.golden)
  const run = await readFile(join(folder, names.run), 'utf8').catch(() => null)
  return { artefact: { manifest, binary }, run: run === null ? null : decodeRun(run, join(folder, names.run)) }
}
