import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The rooms whose code has a say in what comes out of a training. */
const ROOMS = ['features', 'models', 'training']

/** `src` of a checkout, `dist/src` once built. */
const sources = fileURLToPath(new URL('../../', import.meta.url))

const filesOf = async (folder: string): Promise<string[]> => {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  return entries
    .filter((entry) => entry.isFile() && /\.(ts|js)$/.test(entry.name) && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
}

/**
 * SHA-256, in hex, of the programs that train: the sources of the model engine, as TypeScript or as built, and the
 * versions of the libraries that it calls.
 * @param libraries by name
 */
export const digestCode = async (libraries: Readonly<Record<string, string>>): Promise<string> => {
  const paths = (await Promise.all(ROOMS.map((room) => filesOf(join(sources, room))))).flat()
  const digest = createHash('sha256')
  for (const path of paths.sort()) {
    const name = relative(sources, path).split(sep).join('/')
    const bytes = await readFile(path)
    digest.update(`${name}\n${bytes.length}\n`).update(bytes)
  }
  for (const name of Object.keys(libraries).sort()) digest.update(`${name}@${libraries[name]}\n`)
  return digest.digest('hex')
}
