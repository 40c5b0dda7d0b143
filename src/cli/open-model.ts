import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import { ConfigInvalid } from '../errors.ts'
import type { ModelArtefact } from '../models/manifest.ts'
import { createFolderStore } from '../registry/folder-store.ts'
import { VersionNotFound } from '../registry/registry-errors.ts'
import type { AliasName, ArtefactStore } from '../registry/registry-types.ts'
import { readModelFolder } from './model-folder.ts'
import { openConfig, type TaskOptions } from './task-options.ts'

export const aliasNames: readonly AliasName[] = ['production', 'staging', 'candidate']

const isAlias = (name: string): name is AliasName => aliasNames.some((alias) => alias === name)

/** The version that a number or an alias names. @throws VersionNotFound */
export const resolveVersion = async (store: ArtefactStore, named: string): Promise<string> => {
  if (!isAlias(named)) return named
  const version = (await store.readAliases()).aliases[named]
  if (version === undefined) throw new VersionNotFound(`no version is ${named}: see "driftline models list"`)
  return version
}

/** The store of a task, to read from. */
export const storeOf = (config: Config): ArtefactStore => createFolderStore({ root: config.paths.artefacts })

const isModelFolder = (named: string): boolean =>
  /[\\/]/.test(named) || named.startsWith('.') || existsSync(join(named, 'manifest.json'))

/** A model that a command was given, and how messages call it. */
export type OpenedModel = {
  readonly artefact: ModelArtefact
  readonly source: string
  /** Null for a model from a folder. */
  readonly version: string | null
}

/**
 * Opens the model that `--model` names: a folder that `train --out` wrote, or a version or alias of the task.
 * @throws ConfigInvalid, VersionNotFound, ArtefactCorrupt, GoldenRowsDiffer
 */
export const openModel = async (named: string, options: TaskOptions): Promise<OpenedModel> => {
  if (isModelFolder(named)) return { artefact: (await readModelFolder(named)).artefact, source: named, version: null }
  if (!isAlias(named) && !/^\d+$/.test(named)) {
    throw new ConfigInvalid(
      `"${named}" is no model folder, no version and no alias: see "driftline models list", or train one with ` +
        `"driftline train --data F --target C --out ${named}"`,
    )
  }
  const config = await openConfig(options, 'none')
  const store = storeOf(config)
  const version = await resolveVersion(store, named)
  return { artefact: await store.readVersion(version), source: `version ${version} of ${config.task.task}`, version }
}
