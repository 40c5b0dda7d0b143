import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { exitCodes } from '../../../src/cli/exit-codes.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const find = (pattern: string): string[] => globSync(pattern, { cwd: root }).sort()
const between = (text: string, begin: string, end: string): string => text.split(begin)[1]?.split(end)[0] ?? ''
const documents = [...find('docs/**/*.md'), ...find('*.md')]

describe('docs/architecture.md', () => {
  const map = between(read('docs/architecture.md'), '<!-- map: begin -->', '<!-- map: end -->')
  const listed = [...map.matchAll(/^- `([^`]+)`: \S.*$/gm)].map((match) => match[1]!)

  it('lists every source file once, and none that is gone', () => {
    const present = [...find('src/**/*.ts'), ...find('streams/*.ts'), ...find('dev/**/*.ts')]
    expect({
      missing: present.filter((path) => !listed.includes(path)),
      gone: listed.filter((path) => !present.includes(path)),
      twice: listed.filter((path, index) => listed.indexOf(path) < index),
    }).toEqual({ missing: [], gone: [], twice: [] })
  })

  it('tells of every room', () => {
    const rooms = between(read('docs/architecture.md'), '\n## The rooms\n', '\n## The map of files\n')
    const folders = new Set(find('src/*/**/*.ts').map((path) => path.split('/').slice(0, 2).join('/')))
    for (const folder of folders) expect(rooms).toContain(`| \`${folder}\` |`)
  })
})

describe('docs/configuration.md', () => {
  const text = read('docs/configuration.md')
  const section = (title: string): string => between(`${text}\n## `, `\n## ${title}\n`, '\n## ')

  it('names the variables that the configuration reads, and no other', () => {
    const sources = find('src/config/*.ts').map(read).join('\n')
    const used = [...sources.matchAll(/\b((?:DRIFTLINE|KAFKA)_[A-Z_]+|SCHEMA_REGISTRY_URL|REDIS_URL)\b/g)]
    const rows = [...section('Environment variables').matchAll(/^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \|/gm)]
    const told = rows.flatMap((row) => [...row[1]!.matchAll(/[A-Z_]+/g)].map(([name]) => name))
    expect(new Set(told)).toEqual(new Set(used.map((match) => match[1])))
  })

  it('tells the exit codes', () => {
    const told = [...section('Exit codes').matchAll(/^\| (\d+) \|/gm)].map((match) => Number(match[1]))
    expect(told).toEqual(Object.values(exitCodes))
  })

  it('has the keys of the schema as the generator writes them', () => {
    execFileSync(process.execPath, [join(root, 'dev/generate-docs.ts'), '--check'])
  })
})

describe('docs/messages.md', () => {
  const text = read('docs/messages.md')

  it('explains each code of a dead letter that the sources give, and no other', () => {
    const folders = ['src/kafka/**/*.ts', 'src/features/*.ts', 'src/models/*.ts', 'streams/*.ts']
    const sources = folders.flatMap(find).map(read).join('\n')
    const told = [...text.matchAll(/^\| `([A-Z_]+)` \|/gm)].map((match) => match[1]!)
    expect(told.length).toBeGreaterThan(10)
    for (const code of told) expect(sources, code).toContain(`'${code}'`)
    const given = [...sources.matchAll(/(?:failure|fault|refuse)\('([A-Z_]+)'/g)].map((match) => match[1]!)
    for (const code of given) expect(told).toContain(code)
  })

  it('tells every field of a prediction', () => {
    const { fields } = JSON.parse(read('schemas/prediction.avsc')) as { fields: { name: string }[] }
    for (const { name } of fields) expect(text).toContain(`\`${name}\``)
  })
})

describe('docs/runbooks', () => {
  const runbooks = find('docs/runbooks/*.md').filter((path) => !path.endsWith('README.md'))

  it.each(runbooks)('%s goes from symptom to check to action, and stands in the list', (path) => {
    const headings = [...read(path).matchAll(/^## (.+)$/gm)].map((match) => match[1])
    expect(headings).toEqual(['Symptom', 'Check', 'Action'])
    expect(read('docs/runbooks/README.md')).toContain(`(${path.split('/').at(-1)})`)
  })

  it('names every alert in the list', () => {
    const alerts = [...read('deploy/prometheus-alerts.yml').matchAll(/alert: (\w+)/g)].map((match) => match[1]!)
    for (const alert of alerts) expect(read('docs/runbooks/README.md')).toContain(alert)
  })
})

describe.each(documents)('%s', (path) => {
  const text = read(path)
  const anchorsOf = (document: string): string[] =>
    [...document.matchAll(/^#+ (.+)$/gm)].map((match) =>
      match[1]!
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    )

  it('links to what exists', () => {
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      const [file = '', anchor] = target.split('#')
      const linked = file === '' ? path : join(dirname(path), file)
      expect(existsSync(join(root, linked)), target).toBe(true)
      if (anchor !== undefined) expect(anchorsOf(read(linked)), target).toContain(anchor)
    }
  })
})
