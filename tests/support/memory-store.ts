import { hash } from 'node:crypto'
import { ArtefactCorrupt, VersionNotFound } from '../../src/registry/registry-errors.ts'
import type { AliasState, ArtefactStore, VersionSummary } from '../../src/registry/registry-types.ts'

export type MemoryStore = ArtefactStore & {
  /** By version; a test may replace one to damage it. */
  binaries: Map<string, Uint8Array>
  damageManifest: (version: string) => Promise<void>
}

/** An artefact store without a disk, for tests of what stands on one. It passes the contract suite of the real ones. */
export const createMemoryStore = (): MemoryStore => {
  const versions: VersionSummary[] = []
  const binaries = new Map<string, Uint8Array>()
  const damaged = new Set<string>()
  let state: AliasState = { epoch: 0, aliases: {}, shadows: [], history: [] }
  const find = (version: string): VersionSummary => {
    const found = versions.find((summary) => summary.version === version)
    if (found === undefined) throw new VersionNotFound(`no version ${version}`)
    return found
  }
  const check = (binary: Uint8Array, sha256: string): void => {
    if (hash('sha256', binary) !== sha256) throw new ArtefactCorrupt('the digest differs')
  }
  return {
    binaries,
    damageManifest: async (version) => {
      damaged.add(version)
    },
    addVersion: async ({ manifest, binary }, run) => {
      check(binary, manifest.binary.sha256)
      const version = String(versions.length + 1)
      versions.push(structuredClone({ version, manifest, run }))
      binaries.set(version, binary.slice())
      return version
    },
    readVersion: async (version) => {
      const { manifest } = find(version)
      if (damaged.has(version)) throw new ArtefactCorrupt('the manifest differs')
      const binary = binaries.get(version)!
      check(binary, manifest.binary.sha256)
      return structuredClone({ manifest, binary })
    },
    listVersions: async () => structuredClone(versions.filter(({ version }) => !damaged.has(version))),
    readAliases: async () => structuredClone(state),
    setAlias: async (change, expectedEpoch) => {
      find(change.version)
      if (state.epoch !== expectedEpoch) return { status: 'conflict', state: structuredClone(state) }
      const epoch = expectedEpoch + 1
      const done = { ...change, epoch, previous: state.aliases[change.alias] ?? null }
      state = {
        ...state,
        epoch,
        aliases: { ...state.aliases, [change.alias]: change.version },
        history: [...state.history, done],
      }
      return { status: 'set', state: structuredClone(state) }
    },
    setShadow: async (change, expectedEpoch) => {
      if (change.change === 'added') find(change.version)
      if (state.epoch !== expectedEpoch) return { status: 'conflict', state: structuredClone(state) }
      const epoch = expectedEpoch + 1
      const others = state.shadows.filter((version) => version !== change.version)
      state = {
        ...state,
        epoch,
        shadows: change.change === 'added' ? [...others, change.version] : others,
        history: [...state.history, { alias: 'shadow', ...change, epoch, previous: null }],
      }
      return { status: 'set', state: structuredClone(state) }
    },
  }
}
