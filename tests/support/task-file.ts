import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'

const folderOf = (example: string): string => fileURLToPath(new URL(`../../examples/${example}/`, import.meta.url))

type Changes = { [section: string]: unknown }

/** Puts `changes` into `base`, section by section; what `changes` does not name stays. */
const merge = (base: Record<string, unknown>, changes: Changes): Record<string, unknown> =>
  Object.fromEntries(
    [...new Set([...Object.keys(base), ...Object.keys(changes)])].map((key) => {
      const [old, changed] = [base[key], changes[key]]
      const both = [old, changed].every((value) => typeof value === 'object' && value !== null && !Array.isArray(value))
      if (both) return [key, merge(old as Record<string, unknown>, changed as Changes)]
      return [key, changed === undefined ? old : changed]
    }),
  )

export type TestTask = {
  /** The name of the task, used by nobody else. */
  task: string
  configFile: string
  /** State of its own, as DRIFTLINE_HOME. */
  home: string
  remove: () => void
}

/** A task like an example, the bundled one at first, under a name of its own: tests do not meet on topics and queues. */
export const createTestTask = (changes: Changes = {}, example = 'iris'): TestTask => {
  const folder = mkdtempSync(join(tmpdir(), 'driftline-test-'))
  const task = `t${Math.random().toString(36).slice(2, 10)}`
  const base = parse(readFileSync(join(folderOf(example), 'driftline.yaml'), 'utf8')) as Record<string, unknown>
  const { path } = base['dataset'] as { path: string }
  const configFile = join(folder, 'driftline.yaml')
  const own = merge(merge(base, { task, dataset: { path: join(folderOf(example), path) } }), changes)
  writeFileSync(configFile, stringify(own))
  return {
    task,
    configFile,
    home: join(folder, 'home'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
