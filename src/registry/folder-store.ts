import { resolve } from 'node:path'
import type { Logger } from '../telemetry/log.ts'
import { createAliasFiles } from './alias-files.ts'
import type { ArtefactStore } from './registry-types.ts'
import { createStoreLayout } from './store-layout.ts'
import { createVersionFolders } from './version-folders.ts'

/**
 * An artefact store in a folder of a local or POSIX file system:
 * ```text
 * <root>/versions/<n>/{manifest.json,run.json,SHA256SUMS}   immutable; `sha256sum -c SHA256SUMS` checks them by hand
 * <root>/blobs/<sha256>.bin                                 the binaries, shared by versions with the same content
 * <root>/aliases/<epoch>.json                               immutable; the highest epoch counts
 * <root>/tmp/                                               unfinished work; ignored, removed after an hour
 * ```
 * Any number of processes may use it at once. Everything is written under a temporary name, synced to disk and
 * then given its name in one step, so a process that is killed leaves nothing half-written where readers look.
 * Digests and sizes are checked at every read. Besides the errors of the interface, the file system's own come through.
 */
export const createFolderStore = ({
  root,
  logger,
  now = Date.now,
}: {
  root: string
  logger?: Logger
  now?: () => number
}): ArtefactStore => {
  const layout = createStoreLayout(resolve(root))
  const versions = createVersionFolders({ layout, logger, now })
  const aliases = createAliasFiles({ layout, logger })
  return {
    addVersion: versions.add,
    readVersion: versions.read,
    listVersions: versions.list,
    readAliases: aliases.read,
    setAlias: async (change, expectedEpoch) => {
      await versions.mustExist(change.version)
      return aliases.set(change, expectedEpoch)
    },
    setShadow: async (change, expectedEpoch) => {
      if (change.change === 'added') await versions.mustExist(change.version)
      return aliases.setShadow(change, expectedEpoch)
    },
  }
}
