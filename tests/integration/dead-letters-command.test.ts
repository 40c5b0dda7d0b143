import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { deadLettersCommand } from '../../src/cli/commands/dead-letters.ts'
import { type KafkaParts, openKafka } from '../../src/cli/roles/kafka-parts.ts'
import { openConfig } from '../../src/cli/task-options.ts'
import { kafkaClientNames } from '../../src/config/kafka-schema.ts'
import { ConfigInvalid } from '../../src/errors.ts'
import { deadLetterOf } from '../../src/kafka/dead-letters.ts'
import type { PlainProducer } from '../../src/kafka/kafka-types.ts'
import { committedRecords, deleteTopics } from '../support/kafka.ts'
import { createTestTask, type TestTask } from '../support/task-file.ts'
import { testLogger } from '../support/test-logger.ts'

const EVENT = { event_id: 'e', sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 }
const json = (members: object): Buffer => Buffer.from(JSON.stringify(members))

describe.each(kafkaClientNames)('driftline dead-letters on %s', (client) => {
  let task: TestTask
  let kafka: KafkaParts
  let producer: PlainProducer

  /** Runs a verb and returns the lines that it printed. */
  const run = async (...args: string[]): Promise<string[]> => {
    const lines: string[] = []
    const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
    const error = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const command = deadLettersCommand()
    for (const verb of [command, ...command.commands])
      verb.exitOverride().configureOutput({ writeErr: () => undefined })
    try {
      await command.parseAsync([...args, '--config', task.configFile], { from: 'user' })
      return lines
    } finally {
      log.mockRestore()
      error.mockRestore()
    }
  }
  const runJson = async (...args: string[]) => JSON.parse((await run(...args, '--json')).at(-1)!)

  beforeEach(async () => {
    task = createTestTask({ kafka: { client }, stream: { partitions: 2 } })
    vi.stubEnv('DRIFTLINE_HOME', task.home)
    const config = await openConfig({ config: task.configFile }, 'required')
    kafka = await openKafka(config, 'test', testLogger())
    producer = await kafka.client.producer()
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await producer.close()
    await kafka.admin.close()
    await deleteTopics(Object.values(kafka.topics).map(({ name }) => name))
    task.remove()
  })

  let offset = 0
  /** Puts a letter of a feature event (or another topic's value) on the topic, and returns its id. */
  const letter = async (
    code: string,
    value: Buffer,
    change: { failedAt?: number; topic?: string; headers?: Record<string, Buffer> } = {},
  ): Promise<string> => {
    const source = offset++
    const record = {
      ...{ topic: change.topic ?? kafka.topics.features.name, partition: source % 2, offset: BigInt(source) },
      ...{ timestamp: 77, key: Buffer.from(`k${source}`), value, headers: change.headers ?? {} },
    }
    const target = { topic: kafka.topics.deadLetters.name, partitions: 2, failedAt: change.failedAt ?? Date.now() }
    const [place] = await producer.send([deadLetterOf(record, { code, message: `${code}!` }, target)])
    return `${place?.partition}-${place?.offset}`
  }
  const features = () => committedRecords(kafka.topics.features.name)

  test('list, show, try, send, and list again', async () => {
    const fine = await letter('UNKNOWN_SCHEMA', json(EVENT), { headers: { trace: Buffer.from('t1') } })
    const broken = await letter('BAD_WIRE_FORMAT', Buffer.from([7, 200, 13, 255]))
    const old = await letter('UNKNOWN_SCHEMA', json({ ...EVENT, event_id: 'old' }), {
      failedAt: Date.now() - 7_200_000,
    })

    const listed = await runJson('list')
    expect(listed).toMatchObject({ total: 3, shown: 3 })
    expect(listed.letters.map(({ id }: { id: string }) => id)).toEqual([old, fine, broken])
    expect(listed.letters[1]).toMatchObject({ code: 'UNKNOWN_SCHEMA', event_id: 'e', state: 'new', attempts: 0 })
    expect(listed.letters[2]).toMatchObject({ event_id: null, bytes: 4 })
    expect(listed.by_code).toMatchObject([
      { code: 'UNKNOWN_SCHEMA', letters: 2, states: { new: 2 } },
      { code: 'BAD_WIRE_FORMAT', letters: 1, states: { new: 1 } },
    ])
    expect(await runJson('list', '--since', '1h', '--code', 'unknown_schema')).toMatchObject({ total: 1 })
    expect(await runJson('list', '--topic', 'labels')).toMatchObject({ total: 0 })

    const shown = await runJson('show', broken)
    expect(shown).toMatchObject({ value_hex: '07c80dff', decoded: { code: 'BAD_WIRE_FORMAT' }, now: { sent: false } })
    expect(await runJson('show', fine)).toMatchObject({
      ...{ decoded: { schema_id: null, fields: EVENT }, now: { sent: true, reason: null }, sent_as: [] },
      headers: { trace: 't1', 'driftline.error.timestamp': '77' },
    })
    await expect(run('show', '0-99999')).rejects.toThrow('holds no letter')

    const trial = await runJson('replay', '--dry-run')
    expect(trial).toMatchObject({
      dry_run: true,
      would_send: 2,
      skipped: { would_fail: 1 },
      refusals: { BAD_WIRE_FORMAT: 1 },
    })
    expect(await features()).toHaveLength(0)

    expect(await runJson('replay', '--since', '1h', '--yes')).toMatchObject({ selected: 2, sent: 1, transactions: 1 })
    expect(await runJson('replay', '--yes')).toMatchObject({ selected: 3, sent: 1, skipped: { already_replayed: 1 } })
    const sent = await features()
    expect(sent.map(({ headers }) => headers['driftline.replay.of']).sort()).toEqual([fine, old].sort())
    const first = sent.find(({ headers }) => headers['driftline.replay.of'] === fine)
    expect(first?.headers).toEqual({ trace: 't1', 'driftline.replay.of': fine, 'driftline.replay.count': '1' })

    const after = await runJson('list')
    expect(after.by_code[0]).toMatchObject({ code: 'UNKNOWN_SCHEMA', states: { already_replayed: 2 } })
    expect(after.letters[1].replayed_at).toBeGreaterThan(1_000_000_000_000)
    const found = await runJson('show', fine)
    expect(found.sent_as).toEqual([{ partition: first?.partition, offset: Number(first?.offset) }])
    expect((await run('show', fine)).join('\n')).toContain('driftline.error.code')
    expect((await run('list')).join('\n')).toContain('replayed 20')
  })

  test('events are repaired, and written as Avro of the task', async () => {
    const { sepal_width: _, ...missing } = EVENT
    await letter('FEATURE_MISSING', json(missing))
    await letter('FEATURE_MISSING', json({ ...missing, event_id: 'renamed', width: 2.5 }))
    const avro = Buffer.from(kafka.codecs.features.encode({ ...EVENT, event_id: 'avro', event_time: 5 }))
    const foreign = Buffer.concat([Buffer.from([0, 0xff, 0xff, 0xff, 0xff]), avro.subarray(5)])
    await letter('UNKNOWN_SCHEMA', foreign)

    await expect(run('replay', '--fix', 'set:sepal_widht=3')).rejects.toThrow(ConfigInvalid)
    expect(await runJson('replay', '--yes')).toMatchObject({ sent: 0, skipped: { would_fail: 3 } })
    expect(await runJson('replay', '--yes', '--fix', 'rename:width=sepal_width')).toMatchObject({ sent: 1 })
    expect(await runJson('replay', '--yes', '--code', 'FEATURE_MISSING', '--fix', 'set:sepal_width=3')).toMatchObject({
      sent: 1,
    })
    const id = avro.readUInt32BE(1)
    const module = join(dirname(task.configFile), 'fix.js')
    await writeFile(
      module,
      `export default (event, letter) => ({ ...event, event_id: letter.id + ' ' + letter.key })\n`,
    )
    expect(await runJson('replay', '--yes', '--fix', `schema:${id}`, `module:${module}`)).toMatchObject({ sent: 1 })

    const values: unknown[] = []
    await kafka.client.readRanges({
      topic: kafka.topics.features.name,
      ranges: await kafka.admin.offsetRanges(kafka.topics.features.name),
      process: ({ bytes, valueStarts, valueEnds, length }) => {
        for (let i = 0; i < length; i++) {
          const value = bytes.subarray(valueStarts[i]!, valueEnds[i]!)
          expect(value[0]).toBe(0)
          const decoded = kafka.codecs.features.decode(value)
          values.push(decoded.ok ? decoded.value : decoded)
        }
      },
    })
    const byId = (a: unknown, b: unknown) => (String(Object(a).event_id) < String(Object(b).event_id) ? -1 : 1)
    expect(values.sort(byId)).toMatchObject([
      { event_id: expect.stringMatching(/^\d-\d+ k\d+$/), event_time: 5, sepal_width: 3.5 },
      { event_id: 'e', event_time: 77, sepal_width: 3 },
      { event_id: 'renamed', event_time: 77, sepal_width: 2.5 },
    ])
  })

  test('what comes back too often stays, and so does what was cut', async () => {
    const event = json(EVENT)
    await letter('SCORING_FAILED', event, { headers: { 'driftline.replay.count': Buffer.from('3') } })
    await letter('RECORD_TOO_LARGE', Buffer.alloc(3_000_000, 0x7b))
    await letter('UNKNOWN_LABEL', json({ event_id: 'e', label: 'weed' }), { topic: kafka.topics.labels.name })
    await letter('X', event, { topic: 'somebody.elses' })
    expect(await runJson('replay', '--yes')).toMatchObject({
      ...{ selected: 4, sent: 0 },
      skipped: { too_many_attempts: 1, truncated: 1, would_fail: 1, unknown_source: 1 },
    })
    expect(await runJson('replay', '--yes', '--topic', 'labels', '--fix', 'set:label=setosa')).toMatchObject({
      sent: 1,
    })
    expect(await runJson('replay', '--yes', '--max-attempts', '4')).toMatchObject({ sent: 1 })
    expect(await committedRecords(kafka.topics.labels.name)).toHaveLength(1)
  })
})
