import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describeError } from '../errors.ts'
import type { ModelArtefact, ModelManifest, RunRecord } from '../models/manifest.ts'
import { decodeManifest, encodeManifest } from '../models/manifest-codec.ts'
import type { Logger } from '../telemetry/log.ts'
import { readWithDigest, sha256Hex } from './digest.ts'
import { hasCode, publishFolder, syncFolder, writeDurably } from './durable-files.ts'
import { ArtefactCorrupt, VersionNotFound } from './registry-errors.ts'
import type { VersionSummary } from './registry-types.ts'
import { isVersionNumber, type StoreLayout } from './store-layout.ts'

const names = { manifest: 'manifest.json', run: 'run.json', sums: 'SHA256SUMS' } as const

/** The versions of a folder store: `versions/<n>/` with its manifest, and the binary under `blobs/`. */
export type VersionFolders = {
  add: (artefact: ModelArtefact, run: RunRecord) => Promise<string>
  read: (version: string) => Promise<ModelArtefact>
  list: () => Promise<VersionSummary[]>
  /** @throws VersionNotFound */
  mustExist: (version: string) => Promise<void>
}

export const createVersionFolders = (options: {
  layout: StoreLayout
  logger: Logger | undefined
  now: () => number
}): VersionFolders => {
  const { layout, logger, now } = options
  const blobPath = (sha256: string): string => join(layout.blobs, `${sha256}.bin`)

  /** The real folder of a version. Nothing but a number gets as far as the file system. */
  const folderOf = async (version: string): Promise<string> => {
    if (!isVersionNumber(version)) {
      throw new VersionNotFound(`"${version}" is not a version: versions are numbers, as "driftline models list" shows`)
    }
    try {
      return await layout.inside(join(layout.versions, version))
    } catch (error) {
      if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error
      throw new VersionNotFound(`there is no version ${version} in ${layout.versions}: see "driftline models list"`)
    }
  }

  const corrupt = (version: string, what: string, cause?: unknown): ArtefactCorrupt =>
    new ArtefactCorrupt(`version ${version} is damaged: ${what}; restore it from a copy or promote another version`, {
      cause,
    })

  /** Missing parts of a version are damage; any other failure may pass and is not judged here. */
  const present = async <T>(version: string, name: string, reading: Promise<T>): Promise<T> => {
    try {
      return await reading
    } catch (error) {
      if (hasCode(error, 'ENOENT')) throw corrupt(version, `${name} is missing`, error)
      throw error
    }
  }

  const readChecked = async (
    version: string,
    folder: string,
    name: string,
    reading: Promise<string>,
  ): Promise<Buffer> => {
    const readOwn = async (): Promise<Buffer> => readFile(await layout.inside(join(folder, name)))
    // Side by side: a worker that scores while it loads pays for each step of the way with a turn of its loop.
    const [sums, bytes] = await Promise.all([reading, present(version, name, readOwn())])
    if (!sums.split('\n').includes(`${sha256Hex(bytes)}  ${name}`)) {
      throw corrupt(version, `${name} has another digest than ${names.sums} says`)
    }
    return bytes
  }

  const parse = <T>(version: string, name: string, bytes: Buffer, decode: (bytes: Buffer) => T): T => {
    try {
      return decode(bytes)
    } catch (error) {
      throw corrupt(version, `${name} cannot be read`, error)
    }
  }

  const readSums = (version: string, folder: string): Promise<string> =>
    present(version, names.sums, readFile(join(folder, names.sums), 'utf8'))

  const readManifest = async (version: string, folder: string, sums: Promise<string>): Promise<ModelManifest> =>
    parse(version, names.manifest, await readChecked(version, folder, names.manifest, sums), decodeManifest)

  const readRun = async (version: string, folder: string, sums: Promise<string>): Promise<RunRecord> =>
    parse(version, names.run, await readChecked(version, folder, names.run, sums), (bytes) =>
      JSON.parse(bytes.toString('utf8')),
    )

  /** Leaves the binary under its digest. One that is there and whole is kept; a damaged one is replaced. */
  const storeBlob = async (sha256: string, binary: Uint8Array): Promise<void> => {
    const path = blobPath(sha256)
    const stored = await readWithDigest(path, binary.byteLength).catch(() => null)
    if (stored?.sha256 !== sha256) {
      const temporary = layout.temporary()
      await writeDurably(temporary, binary)
      await rename(temporary, path)
    }
    // Also where it was there already: whoever wrote it may not have come to this line yet.
    await syncFolder(layout.blobs)
  }

  const stage = async (manifest: ModelManifest, run: RunRecord): Promise<string> => {
    const files = { [names.manifest]: encodeManifest(manifest), [names.run]: `${JSON.stringify(run, null, 2)}\n` }
    const sums = [
      ...Object.entries(files).map(([name, bytes]) => `${sha256Hex(bytes)}  ${name}`),
      `${manifest.binary.sha256}  ../../blobs/${manifest.binary.sha256}.bin`,
    ]
    const folder = layout.temporary()
    await mkdir(folder)
    for (const [name, bytes] of Object.entries(files)) await writeDurably(join(folder, name), bytes)
    await writeDurably(join(folder, names.sums), `${sums.join('\n')}\n`)
    await syncFolder(folder)
    return folder
  }

  return {
    add: async ({ manifest, binary }, run) => {
      const sha256 = sha256Hex(binary)
      if (sha256 !== manifest.binary.sha256 || binary.byteLength !== manifest.binary.bytes) {
        throw new ArtefactCorrupt(
          `the model to add is inconsistent: its manifest says ${manifest.binary.bytes} bytes with digest ` +
            `${manifest.binary.sha256}, its binary has ${binary.byteLength} with ${sha256}; write the manifest after the binary`,
        )
      }
      await layout.prepare()
      await layout.removeStaleTemporaries(now())
      await storeBlob(sha256, binary)
      const staged = await stage(manifest, run)
      try {
        let number = ((await layout.numbered(layout.versions, '')).at(-1) ?? 0) + 1
        while (!(await publishFolder(staged, join(layout.versions, String(number))))) number += 1
        await syncFolder(layout.versions)
        return String(number)
      } catch (error) {
        await rm(staged, { recursive: true, force: true })
        throw error
      }
    },

    read: async (version) => {
      const folder = await folderOf(version)
      const manifest = await readManifest(version, folder, readSums(version, folder))
      const { sha256, bytes } = manifest.binary
      const path = await present(version, 'its binary', layout.inside(blobPath(sha256)))
      const found = await present(version, 'its binary', readWithDigest(path, bytes))
      if (found.bytes === null) throw corrupt(version, `its binary has ${found.size} bytes instead of ${bytes}`)
      if (found.sha256 !== sha256) throw corrupt(version, `its binary has digest ${found.sha256} instead of ${sha256}`)
      return { manifest, binary: found.bytes }
    },

    list: async () => {
      const summaries: VersionSummary[] = []
      for (const number of await layout.numbered(layout.versions, '')) {
        const version = String(number)
        try {
          const folder = await folderOf(version)
          const sums = readSums(version, folder)
          const manifest = await readManifest(version, folder, sums)
          summaries.push({ version, manifest, run: await readRun(version, folder, sums) })
        } catch (error) {
          if (!(error instanceof ArtefactCorrupt)) throw error
          // One damaged version must not hide the others.
          logger?.error({ version, code: error.code }, `left out of the list: ${describeError(error)}`)
        }
      }
      return summaries
    },

    mustExist: async (version) => {
      await folderOf(version)
    },
  }
}
