import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

// A lint rule whose pattern matches nothing is silent. So every import that a room must not have is written into a
// scratch checkout with our own biome.json, and Biome has to refuse each; every import that it may have has to pass.

/** What each room may import of the house, beside errors.ts and events.ts. `cli` may import every room. */
const brackets: Record<string, readonly string[]> = {
  features: [],
  models: ['features'],
  drift: [],
  routing: [],
  config: [],
  telemetry: ['config'],
  kafka: ['topology.ts', 'config', 'telemetry'],
  registry: ['models', 'config', 'telemetry'],
  history: ['config', 'telemetry'],
  training: ['models', 'features', 'config', 'telemetry'],
  retraining: ['models', 'features', 'training', 'registry', 'history', 'config', 'telemetry'],
  api: ['features', 'models', 'config', 'telemetry', 'registry/registry-types.ts', 'history/history-types.ts'],
}
const rooms = [...Object.keys(brackets), 'cli']
const pureRooms = ['features', 'models', 'drift', 'routing']
const rootFiles = ['topology.ts', 'lifecycle.ts']

/** Whose a package is: nobody else in src or streams imports it. */
const owners: Record<string, readonly string[]> = {
  kafkajs: ['kafka'],
  'kafkajs/src/errors.js': ['kafka'],
  '@kafkajs/confluent-schema-registry': ['kafka'],
  '@platformatic/kafka': ['kafka'],
  bullmq: ['retraining'],
  ioredis: ['registry', 'retraining'],
  'prom-client': ['telemetry'],
  pino: ['telemetry'],
  fastify: ['api'],
  '@fastify/swagger': ['api'],
  '@bull-board/api/bullMQAdapter': ['api'],
  'node:sqlite': ['history'],
  pg: ['history'],
  'ml-random-forest': ['models'],
  piscina: ['training'],
  'libsvm-js': ['models'],
  commander: ['cli'],
  ora: ['cli'],
}
const inputAndOutput = ['node:fs', 'node:fs/promises', 'node:http', 'node:net', 'node:child_process']

type Probe = { file: string; line: string; refused: boolean }

const importOf = (specifier: string): string => `import { thing } from '${specifier}'\nexport const used = thing\n`

const probesOf = (room: string): Probe[] => {
  const allowed = room === 'cli' ? [...rooms, ...rootFiles, 'streams', 'dev'] : [...brackets[room]!, room]
  const probes: Probe[] = []
  const add = (specifier: string, refused: boolean, folder = ''): void => {
    const file = `src/${room}/${folder}probe-${probes.length}.ts`
    probes.push({ file, line: importOf(specifier), refused })
  }
  for (const other of rooms.filter((name) => name !== room)) {
    add(`../${other}/thing.ts`, !allowed.includes(other))
    add(`../${other}/deep/thing.ts`, !allowed.includes(other))
    add(`../../${other}/thing.ts`, !allowed.includes(other), 'inner/')
  }
  for (const path of ['errors.ts', 'events.ts']) add(`../${path}`, false)
  for (const path of rootFiles) add(`../${path}`, !allowed.includes(path))
  for (const path of allowed.filter((entry) => entry.includes('/'))) add(`../${path}`, false)
  add('../../streams/topics.ts', room !== 'cli')
  add('../../dev/stack/stack.ts', room !== 'cli')
  add('./own.ts', false)
  add('../own.ts', false, 'inner/')
  for (const [name, owner] of Object.entries(owners)) add(name, !owner.includes(room))
  for (const name of inputAndOutput) add(name, pureRooms.includes(room))
  return probes
}

const streamProbes: Probe[] = [
  ...rooms.map((room) => ({ specifier: `../src/${room}/thing.ts`, refused: !pureRooms.includes(room) })),
  { specifier: '../src/topology.ts', refused: false },
  { specifier: '../src/events.ts', refused: false },
  { specifier: '../src/errors.ts', refused: false },
  { specifier: '../src/history/history-types.ts', refused: false },
  { specifier: '../src/history/sqlite-history.ts', refused: true },
  { specifier: './topics.ts', refused: false },
  ...[...Object.keys(owners), ...inputAndOutput].map((specifier) => ({ specifier, refused: true })),
].map(({ specifier, refused }, index) => ({ file: `streams/probe-${index}.ts`, line: importOf(specifier), refused }))

const rootProbes: Probe[] = [
  ...rooms.map((room) => `./${room}/thing.ts`),
  '../streams/topics.ts',
  'kafkajs',
  'pino',
].map((specifier, index) => ({ file: `src/probe-${index}.ts`, line: importOf(specifier), refused: true }))

const formProbes: Probe[] = [
  `import type { Thing } from '../kafka/thing.ts'\nexport type Used = Thing\n`,
  `export { thing } from '../kafka/thing.ts'\n`,
  `export const thing = await import('../kafka/thing.ts')\n`,
  `import '../kafka/thing.ts'\n`,
].map((line, index) => ({ file: `src/drift/form-${index}.ts`, line, refused: true }))

const environmentProbes: Probe[] = [
  { file: 'src/kafka/environment-0.ts', line: 'export const home = process.env.HOME\n', refused: true },
  { file: 'src/cli/environment-1.ts', line: "export const home = process.env['HOME']\n", refused: true },
  { file: 'src/cli/environment-2.ts', line: 'export const everything = process.env\n', refused: true },
  { file: 'streams/environment-3.ts', line: 'export const home = process.env.HOME\n', refused: true },
  { file: 'src/config/environment-4.ts', line: 'export const home = process.env.HOME\n', refused: false },
]

const cycleProbes: Probe[] = [
  { file: 'src/drift/cycle-a.ts', line: `import { b } from './cycle-b.ts'\nexport const a = () => b\n`, refused: true },
  { file: 'src/drift/cycle-b.ts', line: `import { a } from './cycle-a.ts'\nexport const b = () => a\n`, refused: true },
]

const root = fileURLToPath(new URL('../../../', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'import-brackets-'))
const probes = [
  ...rooms.flatMap(probesOf),
  ...streamProbes,
  ...rootProbes,
  ...formProbes,
  ...environmentProbes,
  ...cycleProbes,
]

/** The files that the rules about imports and the environment refuse. */
const refusedFiles = async (): Promise<Set<string>> => {
  const rules = ['style/noRestrictedImports', 'style/noProcessEnv', 'suspicious/noImportCycles']
  const args = ['lint', ...rules.map((rule) => `--only=${rule}`), '--max-diagnostics=none', '--diagnostic-level=error']
  const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome')
  const command = [biome, ...args, '--reporter=github', '.']
  const output = await promisify(execFile)(process.execPath, command, { cwd: scratch, maxBuffer: 64 << 20 }).then(
    ({ stdout }) => stdout,
    (error: { stdout?: string }) => error.stdout ?? '',
  )
  return new Set(
    [...output.matchAll(/^::error .*?file=([^,]+),/gm)].map((match) => match[1]!.split('/').slice(-4).join('/')),
  )
}

describe('import brackets', () => {
  let refused = new Set<string>()
  const isRefused = ({ file }: Probe): boolean =>
    [...refused].some((path) => path.endsWith(`/${file}`) || path === file)

  beforeAll(async () => {
    const config = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8')) as Record<string, unknown>
    writeFileSync(join(scratch, 'biome.json'), JSON.stringify({ ...config, vcs: { enabled: false } }))
    for (const { file, line } of probes) {
      mkdirSync(dirname(join(scratch, file)), { recursive: true })
      writeFileSync(join(scratch, file), line)
    }
    refused = await refusedFiles()
  }, 60_000)
  afterAll(() => rmSync(scratch, { recursive: true, force: true }))

  it('are given to every room that exists', () => {
    const existing = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
    expect(existing.map(({ name }) => name).filter((name) => !rooms.includes(name))).toEqual([])
  })

  it.each([
    ...rooms.map((room) => [`src/${room}`, probesOf(room)] as const),
    ['streams', streamProbes] as const,
    ['the files at the top of src', rootProbes] as const,
    ['every form of an import', formProbes] as const,
    ['the environment', environmentProbes] as const,
    ['cycles', cycleProbes] as const,
  ])('hold for %s', (_, expected) => {
    const wrong = expected
      .filter((probe) => isRefused(probe) !== probe.refused)
      .map(({ line, file, refused }) => `${file}: ${line.split('\n')[0]} should ${refused ? 'be refused' : 'pass'}`)
    expect(wrong).toEqual([])
    expect(expected.some((probe) => probe.refused)).toBe(true)
  })
})
