import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const requirements = fileURLToPath(new URL('./requirements.txt', import.meta.url))
const folder = fileURLToPath(new URL('../node_modules/.cache/driftline/peers/', import.meta.url))

/** A Python program that answers one request after another, so that its imports are not measured. */
export type PeerProcess = {
  /** Sends one line of JSON and waits for the line that answers it. */
  readonly ask: <T>(request: unknown) => Promise<T>
  readonly stop: () => void
}

export type Peer = {
  /** The interpreter that has the peers' packages. */
  readonly python: string
  /** Runs a script of `bench/` and parses the last line that it prints. */
  readonly once: <T>(script: string, args: readonly string[]) => Promise<T>
  /** Starts a script of `bench/` that reads requests from its standard input, a line of JSON each, and answers each with one. */
  readonly start: (script: string, env?: Readonly<Record<string, string>>) => PeerProcess
}

/** Installs the peers once into a virtual environment of their own. @returns its interpreter */
const ensurePython = async (say: (progress: string) => void): Promise<string> => {
  const python = `${folder}bin/python`
  const mark = `${folder}installed-${createHash('sha256').update(readFileSync(requirements)).digest('hex')}`
  if (existsSync(mark)) return python
  say('installing scikit-learn, ONNX Runtime and the other peers from PyPI')
  await mkdir(folder, { recursive: true })
  await run('python3', ['-m', 'venv', folder])
  await run(python, ['-m', 'pip', 'install', '--quiet', '--requirement', requirements], { timeout: 900_000 })
  await writeFile(mark, '')
  return python
}

const answerer = (child: ChildProcess, script: string): PeerProcess => {
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  return {
    ask: async <T>(request: unknown): Promise<T> => {
      child.stdin!.write(`${JSON.stringify(request)}\n`)
      const { value, done } = await lines.next()
      if (done === true) throw new Error(`${script} ended before it answered`)
      return JSON.parse(value) as T
    },
    stop: () => {
      child.stdin!.end()
    },
  }
}

export const openPeers = async (say: (progress: string) => void): Promise<Peer> => {
  const python = await ensurePython(say)
  const pathOf = (script: string): string => fileURLToPath(new URL(script, import.meta.url))
  return {
    python,
    once: async <T>(script: string, args: readonly string[]): Promise<T> => {
      const { stdout } = await run(python, [pathOf(script), ...args], { timeout: 1_200_000, maxBuffer: 64 * 2 ** 20 })
      return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as T
    },
    start: (script, env = {}) =>
      answerer(
        spawn(python, [pathOf(script)], { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } }),
        script,
      ),
  }
}
