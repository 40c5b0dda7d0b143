import { describe, expect, test } from 'vitest'
import { codecs } from '../../src/kafka/compression/codecs.ts'
import { codecsOf } from '../support/batch-codecs.ts'
import { committedRecords, readRecords, text, uniqueName } from '../support/kafka.ts'
import { copyTo, type KafkaContract, keysOf } from './kafka-contract.ts'

const names = ['gzip', 'snappy', 'lz4', 'zstd'] as const
const COUNT = 400

export const describeKafkaCompressions = ({ bench, create, caughtUp, run }: KafkaContract): void => {
  describe('compression', () => {
    test('what is written with each of them is read by us and by Kafka', async () => {
      const output = await bench().topic({ partitions: names.length })
      const keysFrom = (name: string): string[] => Array.from({ length: COUNT }, (_, i) => `${name}-${i}`)
      for (const [partition, name] of names.entries()) {
        const client = create({ compression: name })
        const topic = await bench().topic({ partitions: names.length })
        const producer = await client.producer()
        await producer.send(
          keysFrom(name).map((key) => ({
            topic,
            partition,
            key: Buffer.from(key),
            value: Buffer.from(key.repeat(20)),
          })),
        )
        await producer.close()
        const group = uniqueName('group')
        const consumer = await run(client, { group, topic, process: copyTo(output), batchMaxRecords: 150 })
        await caughtUp(group, topic)
        await consumer.stop()
        expect(await codecsOf(topic, partition)).toEqual(new Set([codecs[name]]))
        expect(await codecsOf(output, partition)).toEqual(new Set([codecs[name]]))
      }
      const committed = await committedRecords(output)
      const own = await readRecords(bench(), output, (records) => records.length >= COUNT * names.length)
      for (const [partition, name] of names.entries()) {
        expect(keysOf(committed.filter((record) => record.partition === partition))).toEqual(keysFrom(name))
        const values = own.filter((record) => record.partition === partition).map(({ value }) => text(value))
        expect(values).toEqual(keysFrom(name).map((key) => key.repeat(20)))
      }
    })
  })
}
