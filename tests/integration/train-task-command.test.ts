import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { lastLine, runDriftline } from '../support/driftline.ts'
import { createTestTask, type TestTask } from '../support/task-file.ts'

const fixture = (path: string): string => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url))
const irisFile = fileURLToPath(new URL('../../examples/iris/iris.csv', import.meta.url))

const small = [
  { name: 'forest', family: 'forest', parameters: { trees: 20, maxDepth: 5 } },
  { name: 'logistic', family: 'logistic' },
]
// Names that nobody has: nothing is announced, and every command goes on without it.
const alone = { KAFKA_BROKERS: '', SCHEMA_REGISTRY_URL: '', REDIS_URL: 'redis://127.0.0.1:1' }

describe('a task', () => {
  let task: TestTask
  const place = (...parts: string[]): string => join(task.home, ...parts)
  const store = (...parts: string[]): string => place('artefacts', task.task, ...parts)

  const run = async (...args: string[]) => {
    const started = runDriftline(task, args, alone)
    const code = await started.ended
    return { code, stdout: started.stdout(), stderr: started.stderr() }
  }
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(...args, '--json')
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    return JSON.parse(lastLine(stdout))
  }
  const stepsOf = (result: { steps: { step: string; status: string }[] }) =>
    result.steps.map(({ step, status }) => `${step} ${status}`)
  const rewrite = (file: string, change: (text: string) => string): void =>
    writeFileSync(file, change(readFileSync(file, 'utf8')))

  beforeEach(() => {
    task = createTestTask({ training: { candidates: small, folds: 3 } })
  })
  afterEach(() => task.remove())

  test('is trained once; what has not changed is not run again', async () => {
    const first = await json('train')
    expect(first).toMatchObject({ version: '1', trained: true, promoted: true })
    expect(stepsOf(first)).toEqual(['validate ran', 'train ran', 'register ran'])
    expect(first.run.lineage).toEqual({
      data: expect.stringMatching(/^[0-9a-f]{64}$/),
      parameters: expect.stringMatching(/^[0-9a-f]{64}$/),
      code: expect.stringMatching(/^[0-9a-f]{64}$/),
    })

    const again = await run('train')
    expect(again).toMatchObject({ code: 0 })
    expect(again.stderr).toContain('train: unchanged, since version 1')
    expect(await json('train', '--promote')).toMatchObject({ version: '1', trained: false, promoted: false })

    // What the training does not read changes nothing; what it reads does.
    rewrite(task.configFile, (text) => text.replace('windowRows: 200', 'windowRows: 210'))
    expect(await json('train')).toMatchObject({ version: '1', trained: false })
    rewrite(task.configFile, (text) => text.replace('seed: 42', 'seed: 43'))
    const other = await json('train', '--promote')
    expect(other).toMatchObject({ version: '2', trained: true, promoted: true })
    expect(stepsOf(other)).toEqual(['validate unchanged', 'train ran', 'register ran'])
    expect(await json('train', '--only-if-none')).toEqual({ version: '2', trained: false })

    const forced = await json('train', '--force')
    expect(forced).toMatchObject({ version: '3', trained: true, promoted: false })
    expect(forced.run.lineage).toEqual(other.run.lineage)

    const shown = await json('models', 'show', '3')
    expect(shown).toMatchObject({
      version: '3',
      aliases: [],
      run: { lineage: other.run.lineage, validation: { issues: [] } },
      ancestors: [{ version: '2' }, { version: '1', reason: 'initial' }],
    })
    const text = (await run('models', 'show', 'production')).stdout
    expect(text).toContain(other.run.lineage.code)
    expect(text).toMatch(/ANCESTOR[\s\S]*1 +initial/)
  })

  test('whose training is killed goes on at the next run', async () => {
    rewrite(task.configFile, (text) => text.replace(/trees: 20/, 'trees: 3000'))
    const killed = runDriftline(task, ['train'], alone)
    const noticed = new Promise<void>((resolve) => {
      killed.child.stderr?.on('data', () => killed.stderr().includes('validate: 150 rows') && resolve())
    })
    await Promise.race([noticed, killed.ended])
    killed.child.kill('SIGKILL')
    await killed.ended
    expect(existsSync(store('versions'))).toBe(false)
    rewrite(task.configFile, (text) => text.replace(/trees: 3000/, 'trees: 20'))
    expect(stepsOf(await json('train'))).toEqual(['validate unchanged', 'train ran', 'register ran'])

    // A lock that is lost, as by a crash before it was written: the version is found by what it was made of.
    rmSync(store('pipeline.lock.json'))
    expect(stepsOf(await json('train'))).toEqual(['validate ran', 'train unchanged', 'register unchanged'])
    expect(readdirSync(store('versions'))).toEqual(['1'])
  })

  test('is trained anew where the record of its last version is damaged', async () => {
    await json('train')
    writeFileSync(store('versions', '1', 'run.json'), '{')
    expect(await json('train')).toMatchObject({ version: '2', trained: true })
  })

  test('says once, in a line, that nobody could be told of a promotion', async () => {
    const { code, stderr } = await run('train')
    expect(code).toBe(0)
    expect(stderr.match(/not announced, workers find it by polling the store/g)).toHaveLength(1)
    expect(stderr).not.toContain('{"level"')
  })

  test('whose rows cannot be trained on is refused with all that is wrong', async () => {
    const [head, ...rows] = readFileSync(irisFile, 'utf8').trim().split('\n')
    const kept = rows.filter((row, index) => !row.endsWith('versicolor') || index === 60)
    writeFileSync(place('..', 'few.csv'), [head, ...kept].join('\n'))
    rewrite(task.configFile, (text) => text.replace(/path: .*iris\.csv/, 'path: few.csv'))
    const { code, stderr } = await run('train')
    expect(code).toBe(1)
    expect(stderr).toContain('CLASS_TOO_SMALL: class versicolor has 1 rows')
    expect(existsSync(store('versions'))).toBe(false)
    const checked = await run('data', 'check', '--json')
    expect(checked.code).toBe(1)
    expect(JSON.parse(lastLine(checked.stdout)).issues[0]).toMatchObject({ severity: 'error', code: 'CLASS_TOO_SMALL' })
  })

  test('takes in a model that was trained without it, and one of scikit-learn, and hands models on', async () => {
    await json('train')
    const folder = place('..', 'model')
    await json('train', '--data', irisFile, '--target', 'species', '--family', 'svm', '--out', folder)
    const own = await json('models', 'import', folder, '--reason', 'by hand')
    expect(own).toMatchObject({ version: '2', promoted: false, family: 'svm', engine: 'libsvm' })
    expect(own.metrics.accuracy).toBeGreaterThan(0.9)

    const onnx = fixture('onnx/forest-iris.onnx')
    const imported = await json('models', 'import', onnx, '--name', 'sklearn', '--promote')
    expect(imported).toMatchObject({ version: '3', promoted: true, name: 'sklearn', engine: 'onnx' })
    expect(imported.metrics.accuracy).toBeGreaterThan(0.95)
    expect((await json('models', 'list')).versions.map((one: { cv_mean: number | null }) => one.cv_mean)).toEqual([
      ...[expect.any(Number), expect.any(Number), null],
    ])
    expect(await json('models', 'show', 'production')).toMatchObject({
      version: '3',
      run: { imported_from: onnx },
      manifest: { task: task.task, parent: '1', reason: 'imported' },
    })

    const out = place('..', 'scores.csv')
    expect(await json('score', '--model', 'production', '--in', irisFile, '--out', out)).toMatchObject({ rows: 150 })
    expect(readFileSync(out, 'utf8')).toMatch(/^prediction,probability_setosa/)
    expect(await json('models', 'export', '2', '--format', 'onnx', '--out', place('..', 'two.onnx'))).toMatchObject({
      version: '2',
      bytes: readFileSync(place('..', 'two.onnx')).length,
    })
  })

  test('refuses a model of other columns, and a file that is no model', async () => {
    const folder = place('..', 'model')
    const diabetes = irisFile.replace('iris/iris.csv', 'diabetes/diabetes.csv')
    await json('train', '--data', diabetes, '--target', 'progression', '--family', 'ridge', '--out', folder)
    const strange = await run('models', 'import', folder)
    expect(strange).toMatchObject({ code: 1, stderr: expect.stringContaining('the model is a regression of') })
    for (const [file, message] of [
      ['refused-scaler.onnx', 'driftline: '],
      ['forest-breast.onnx', 'driftline: '],
    ] as const) {
      expect(await run('models', 'import', fixture(`onnx/${file}`))).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(message),
      })
    }
    // What is stored is shown ever after.
    writeFileSync(join(folder, 'run.json'), '{"trained_at":"yesterday"}')
    expect(await run('models', 'import', folder)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('run.json is no record of a training'),
    })
    rmSync(join(folder, 'model.bin'))
    expect(await run('models', 'import', folder)).toMatchObject({ code: 2 })
    expect(existsSync(store('versions'))).toBe(false)
  })
})
