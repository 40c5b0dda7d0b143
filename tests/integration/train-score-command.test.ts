import { execFile, execFileSync, spawn } from 'node:child_process'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { lastLine } from '../support/driftline.ts'

const entry = fileURLToPath(new URL('../../bin/driftline.js', import.meta.url))
const example = (path: string): string => fileURLToPath(new URL(`../../examples/${path}`, import.meta.url))

type Run = { code: number; stdout: string; stderr: string }

/** Runs the command line with `input` as its standard input. */
const driftline = (args: readonly string[], input = ''): Promise<Run> =>
  new Promise((resolve) => {
    const child = execFile(process.execPath, [entry, ...args], { maxBuffer: 256 * 2 ** 20 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
    )
    child.stdin?.end(input)
  })

const succeed = async (args: readonly string[], input = ''): Promise<string> => {
  const { code, stdout, stderr } = await driftline(args, input)
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

const json = async (args: readonly string[]) => JSON.parse(lastLine(await succeed([...args, '--json'])))

describe('a CSV file without a configuration', () => {
  const folder = mkdtempSync(join(tmpdir(), 'driftline-adhoc-'))
  const at = (name: string): string => join(folder, name)
  const iris = example('iris/iris.csv')
  const forest = at('forest')
  let trained: Record<string, unknown>

  beforeAll(async () => {
    const parameters = ['--family', 'forest', '--trees', '30', '--max-depth', '6', '--seed', '7']
    trained = await json(['train', '--data', iris, '--target', 'species', ...parameters, '--out', forest])
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('is trained on, and the last line tells what came of it', async () => {
    expect(trained).toMatchObject({
      family: 'forest',
      engine: 'histogram',
      path: forest,
      metrics: { kind: 'classification', rows: 30 },
      target: { type: 'classification' },
      rows: { train: 120, test: 30 },
    })
    expect((trained['metrics'] as { accuracy: number }).accuracy).toBeGreaterThan(0.85)
    expect(trained['fit_seconds']).toBeGreaterThan(0)
    const run = JSON.parse(readFileSync(join(forest, 'run.json'), 'utf8'))
    expect(run.validation).toEqual({ rows: 150, features: 4, issues: [] })
    expect(Object.keys(run.lineage)).toEqual(['data', 'parameters', 'code'])
  })

  test('gives the same model for the same seed, and another for another', async () => {
    const again = (seed: string, out: string) =>
      succeed(
        [
          'train',
          '--data',
          iris,
          '--target',
          'species',
          '--family',
          'forest',
          '--trees',
          '30',
          '--max-depth',
          '6',
        ].concat(['--seed', seed, '--out', out]),
      )
    await Promise.all([again('7', at('same')), again('8', at('other'))])
    const bytes = (name: string): Buffer => readFileSync(join(name, 'model.bin'))
    expect(bytes(at('same')).equals(bytes(forest))).toBe(true)
    expect(readFileSync(join(at('same'), 'manifest.json')).equals(readFileSync(join(forest, 'manifest.json')))).toBe(
      true,
    )
    expect(bytes(at('other')).equals(bytes(forest))).toBe(false)
  })

  test('of numbers is a regression, tested with rows of a file of their own', async () => {
    const [head, ...rows] = readFileSync(example('diabetes/diabetes.csv'), 'utf8').trim().split('\n')
    writeFileSync(at('train.csv'), [head, ...rows.slice(0, 350)].join('\n'))
    writeFileSync(at('test.csv'), [head, ...rows.slice(350)].join('\n'))
    const files = ['--data', at('train.csv'), '--holdout', at('test.csv'), '--target', 'progression']
    const result = await json(['train', ...files, '--family', 'ridge', '--out', at('ridge')])
    expect(result).toMatchObject({ family: 'ridge', engine: 'cholesky', rows: { train: 350, test: 92 } })
    expect(result.metrics.r2).toBeGreaterThan(0.35)

    const scores = parse(await succeed(['score', '--model', at('ridge'), '--in', at('test.csv')]), { columns: true })
    expect(Object.keys(scores[0] as object)).toEqual(['prediction'])
    const errors = (scores as { prediction: string }[]).map(
      ({ prediction }, row) => Number(prediction) - Number(rows[350 + row]!.split(',').at(-1)),
    )
    const rmse = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length)
    expect(rmse).toBeCloseTo(result.metrics.rmse, 9)
  })

  test('is scored as the exported module scores it, with contributions that add up', async () => {
    await succeed(['models', 'export', forest, '--format', 'js', '--out', at('model.mjs')])
    const module = (await import(pathToFileURL(at('model.mjs')).href)) as {
      score: (row: Record<string, number>) => { prediction: string; probabilities: Record<string, number> | number[] }
    }
    const args = ['score', '--model', forest, '--in', iris, '--explain', '--keep-columns']
    const rows = parse(await succeed(args), { columns: true }) as Record<string, string>[]
    expect(rows).toHaveLength(150)
    const sums: Record<string, Set<string>> = {}
    for (const row of rows) {
      const features = Object.fromEntries(
        ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'].map((name) => [name, Number(row[name])]),
      )
      const { prediction, probabilities } = module.score(features)
      expect(row['prediction']).toBe(prediction)
      expect(Number(row[`probability_${prediction}`])).toBeCloseTo(Math.max(...Object.values(probabilities)), 12)
      const contributed = Object.keys(features).reduce((sum, name) => sum + Number(row[`shap_${name}`]), 0)
      sums[prediction] ??= new Set()
      sums[prediction].add((Number(row[`probability_${prediction}`]) - contributed).toFixed(9))
    }
    // What is left is the expectation of the class: the same for all its rows.
    expect(Object.values(sums).map(({ size }) => size)).toEqual([1, 1, 1])
  })

  test('of any size is scored in its order by any number of threads, from files and streams', async () => {
    const [head, ...rows] = readFileSync(iris, 'utf8').trim().split('\n')
    const many = Array.from({ length: 150_000 }, (_, row) => `${row},${rows[(row * 7919) % 150]}`)
    // Quotes and an empty line somewhere, and nothing at the end.
    many[100_000] = `"a ""quoted""\nname",${rows[0]}`
    many[120_000] = `${many[120_000]}\r\n\r`
    const text = [`id,${head}`, ...many].join('\n')
    expect(text.length).toBeGreaterThan(2 * 2 ** 20)
    writeFileSync(at('many.csv'), text)
    const score = (...args: string[]) => ['score', '--model', forest, '--keep-columns', 'id', ...args]
    const result = await json(score('--in', at('many.csv'), '--out', at('three.csv'), '--threads', '3'))
    expect(result).toMatchObject({ rows: 150_000, faulty_rows: 0, out: at('three.csv') })
    expect(result.rows_per_second).toBeGreaterThan(0)
    await succeed(score('--in', at('many.csv'), '--out', at('one.csv'), '--threads', '1'))
    const three = readFileSync(at('three.csv'))
    expect(three.equals(readFileSync(at('one.csv')))).toBe(true)
    expect(await succeed(score('--in', '-', '--threads', '2'), text)).toBe(three.toString())
    const scores = parse(three, { columns: true }) as Record<string, string>[]
    expect(scores).toHaveLength(150_000)
    expect(scores[100_000]).toMatchObject({ id: 'a "quoted"\nname', prediction: 'setosa' })
    expect(scores.every(({ id }, row) => row === 100_000 || id === String(row))).toBe(true)
  })

  test('with rows that cannot be read is refused with the line, or read around them', async () => {
    const lines = readFileSync(iris, 'utf8').trim().split('\n')
    lines[70] = 'five,3,1,0.2,setosa'
    lines[90] = '5,3,1'
    writeFileSync(at('bad.csv'), lines.join('\n'))
    const score = ['score', '--model', forest, '--in', at('bad.csv'), '--out', at('scores.csv')]
    const failed = await driftline(score)
    expect(failed.code).toBe(1)
    expect(failed.stderr).toContain(`bad.csv, line 71: column 'sepal_length' is 'five'`)
    expect(existsSync(at('scores.csv'))).toBe(false)

    expect(await json([...score, '--on-error', 'skip'])).toMatchObject({
      rows: 150,
      faulty_rows: 2,
      faults: [{ line: 71 }, { line: 91, message: 'it has 3 fields, and the header 5' }],
    })
    expect(readFileSync(at('scores.csv'), 'utf8').trim().split('\n')).toHaveLength(149)
    await succeed([...score, '--on-error', 'empty'])
    expect(readFileSync(at('scores.csv'), 'utf8').split('\n')[70]).toBe(',,,')
  })

  test('that gives its target away is refused, and may be accepted', async () => {
    const [head, ...rows] = readFileSync(iris, 'utf8').trim().split('\n')
    writeFileSync(at('leak.csv'), [`id,${head}`, ...rows.map((row, index) => `${index},${row}`)].join('\n'))
    const source = ['--data', at('leak.csv'), '--target', 'species']
    const checked = await driftline(['data', 'check', ...source, '--json'])
    expect(checked.code).toBe(1)
    expect(JSON.parse(lastLine(checked.stdout)).issues).toMatchObject([
      { severity: 'error', code: 'LABEL_LEAKAGE', feature: 'id' },
    ])
    const train = ['train', ...source, '--family', 'logistic', '--out', at('leaky')]
    const refused = await driftline(train)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('LABEL_LEAKAGE: id alone predicts the target')
    expect(existsSync(at('leaky'))).toBe(false)
    expect((await json([...train, '--accept', 'LABEL_LEAKAGE'])).validation.issues).toHaveLength(1)
    expect((await json([...train, '--ignore', 'id'])).validation.issues).toEqual([])
  })

  test('separated by semicolons, or not in UTF-8, is refused with what to do', async () => {
    const text = readFileSync(iris, 'utf8')
    writeFileSync(at('semicolons.csv'), text.replaceAll(',', ';'))
    writeFileSync(at('latin.csv'), Buffer.from(text.replaceAll('setosa', 's\u00E9tosa'), 'latin1'))
    const told = async (...args: string[]) => {
      const { code, stderr } = await driftline(args)
      expect([1, 2]).toContain(code)
      return stderr.trim().split('\n').at(-1)
    }
    const separated = 'its fields are separated by semicolons; save it with commas'
    const semicolons = at('semicolons.csv')
    expect(await told('train', '--data', semicolons, '--target', 'species', '--out', at('none'))).toContain(separated)
    expect(await told('score', '--model', forest, '--in', semicolons, '--out', at('none.csv'))).toContain(separated)
    expect(await told('drift', 'compare', '--reference', iris, '--current', semicolons)).toContain(separated)
    expect(await told('data', 'check', '--data', at('latin.csv'), '--target', 'species')).toContain('it is not UTF-8')
    expect(existsSync(at('none')) || existsSync(at('none.csv'))).toBe(false)
  })

  test('scores go to pipes and devices as they are, and never over the rows', async () => {
    writeFileSync(at('rows.csv'), readFileSync(iris))
    symlinkSync(at('rows.csv'), at('link.csv'))
    const score = (out: string) => driftline(['score', '--model', forest, '--in', at('rows.csv'), '--out', out])
    expect(await score(at('link.csv'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is the file that is read'),
    })
    expect(readFileSync(at('rows.csv'))).toEqual(readFileSync(iris))
    expect(await score(folder)).toMatchObject({ code: 2, stderr: expect.stringContaining('is a folder') })
    execFileSync('mkfifo', [at('pipe')])
    const [scored, read] = await Promise.all([score(at('pipe')), readFile(at('pipe'), 'utf8')])
    expect({ code: scored.code, lines: read.trim().split('\n').length }).toEqual({ code: 0, lines: 151 })
    expect(statSync(at('pipe')).isFIFO()).toBe(true)
    expect(readdirSync(folder).filter((name) => name.endsWith('.partial'))).toEqual([])
  })

  test('scores of which half is written when somebody ends the program leave no file', async () => {
    execFileSync('mkfifo', [at('slow.csv')])
    const args = ['score', '--model', forest, '--in', at('slow.csv'), '--out', at('half.csv')]
    const child = spawn(process.execPath, [entry, ...args], { stdio: 'ignore' })
    const ended = new Promise((resolve) => child.once('close', (_code, signal) => resolve(signal)))
    // The header, and no more: the program waits for rows.
    const rows = await open(at('slow.csv'), 'w')
    await rows.write(readFileSync(iris, 'utf8'))
    await vi.waitUntil(() => readdirSync(folder).some((name) => name.endsWith('.partial')), { timeout: 20_000 })
    child.kill('SIGINT')
    expect(await ended).toBe('SIGINT')
    await rows.close()
    expect(readdirSync(folder).filter((name) => name.startsWith('half.csv'))).toEqual([])
  })

  test.each([
    [['train', '--trees', '5'], '--trees goes with --data'],
    [['train', '--no-bootstrap'], '--no-bootstrap goes with --data'],
    [['train', '--seed', '5'], '--seed goes with --data'],
    [['train', '--data', iris, '--target', 'species', '--ignore', 'species'], '--ignore species leaves the target out'],
    [['train', '--data', iris, '--target', 'species', '--out', iris], 'iris.csv is no folder; name another folder'],
    [['data', 'check', '--ignore', 'id'], '--ignore goes with --data'],
    [['data', 'check', '--data', iris, '--target', 'species', '--config', 'x.yaml'], '--config names a task'],
    [['score', '--model', 'nothing', '--in', iris], '"nothing" is no model folder, no version and no alias'],
    [['train', '--data', iris], '--data needs --target'],
    [['train', '--target', 'species'], '--target goes with --data'],
    [['train', '--data', iris, '--target', 'species', '--promote'], '--promote belongs to a task file'],
    [['train', '--data', iris, '--target', 'species', '--family', 'forest', '--alpha', '1'], '--alpha is no parameter'],
    [['train', '--data', at('nothing.csv'), '--target', 'x'], 'cannot read'],
    [['score', '--model', at('nothing'), '--in', iris], 'is no model folder'],
    [['score', '--model', forest, '--in', at('nothing.csv')], 'cannot read'],
  ])('%j is a mistake in usage', async (args, message) => {
    const { code, stderr } = await driftline(args)
    expect({ code, line: stderr.trim().split('\n').at(-1) }).toEqual({
      code: 2,
      line: expect.stringContaining(message),
    })
  })

  test('a damaged model is refused before anything is written', async () => {
    const binary = readFileSync(join(forest, 'model.bin'))
    await succeed(['train', '--data', iris, '--target', 'species', '--family', 'logistic', '--out', at('damaged')])
    writeFileSync(join(at('damaged'), 'model.bin'), binary)
    const { code, stdout, stderr } = await driftline(['score', '--model', at('damaged'), '--in', iris])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/the binary has \d+ bytes; its manifest says \d+/)
  })
})
