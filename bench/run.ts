import { readdirSync } from 'node:fs'
import { formatTable } from '../src/cli/table.ts'
import type { BenchLine, ModelBench } from './models/model-bench.ts'
import { openPeers } from './peers.ts'
import type { StreamBench } from './stream/stream-bench.ts'

// npm run bench -- models|stream [name ...]: prints the table of measures; ends with 1 if a target is missed.
const say = (progress: string): void => {
  process.stderr.write(`${progress}\n`)
}

const suites = ['models', 'stream']

const benchNames = (suite: string): string[] =>
  readdirSync(new URL(`./${suite}/`, import.meta.url))
    .filter((file) => file.endsWith('.bench.ts'))
    .map((file) => file.slice(0, -'.bench.ts'.length))

const [suite = '', ...wanted] = process.argv.slice(2)
const known = suites.includes(suite) ? benchNames(suite) : []
const unknown = wanted.filter((name) => !known.includes(name))
if (known.length === 0 || unknown.length > 0) {
  for (const name of suites) say(`usage: npm run bench -- ${name} [${benchNames(name).join(' | ')}] ...`)
  process.exit(2)
}

const peer = await openPeers(say)
/** Servers are loaded by the suite that needs them. */
const open = async (stream?: Record<string, unknown>) =>
  (await import('./stream/stream-world.ts')).openStreamWorld({ say, ...(stream === undefined ? {} : { stream }) })

const lines: BenchLine[] = []
for (const name of wanted.length > 0 ? wanted : known) {
  say(`measuring ${name}`)
  const { run } = (await import(new URL(`./${suite}/${name}.bench.ts`, import.meta.url).href)) as {
    run: ModelBench & StreamBench
  }
  lines.push(...(await run({ peer, say, open })))
}
console.log(
  formatTable([
    ['MEASURE', 'DRIFTLINE', 'PEER', 'FIGURE', 'TARGET', ''],
    ...lines.map(({ measure, ours, peer: theirs, figure, target, met }) => [
      ...[measure, ours, theirs, figure, target],
      met ? 'met' : 'MISSED',
    ]),
  ]),
)
process.exitCode = lines.every(({ met }) => met) ? 0 : 1
