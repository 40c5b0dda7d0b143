import { readdirSync } from 'node:fs'
import { formatTable } from '../src/cli/table.ts'
import type { BenchLine, ModelBench } from './models/model-bench.ts'
import { openPeers } from './peers.ts'

// npm run bench -- models [name ...]: prints the table of measures; ends with 1 if a target is missed.
const say = (progress: string): void => {
  process.stderr.write(`${progress}\n`)
}

const benchNames = (): string[] =>
  readdirSync(new URL('./models/', import.meta.url))
    .filter((file) => file.endsWith('.bench.ts'))
    .map((file) => file.slice(0, -'.bench.ts'.length))

const [suite, ...wanted] = process.argv.slice(2)
const known = benchNames()
const unknown = wanted.filter((name) => !known.includes(name))
if (suite !== 'models' || unknown.length > 0) {
  say(`usage: npm run bench -- models [${known.join(' | ')}] ...`)
  process.exit(2)
}

const peer = await openPeers(say)
const lines: BenchLine[] = []
for (const name of wanted.length > 0 ? wanted : known) {
  say(`measuring ${name}`)
  const { run } = (await import(new URL(`./models/${name}.bench.ts`, import.meta.url).href)) as { run: ModelBench }
  lines.push(...(await run({ peer, say })))
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
