import { expect, test } from 'vitest'
import { toTopicMessages } from '../../../../src/kafka/kafkajs/records.ts'

test('the records of a topic keep their order, and their bytes whatever view they are', () => {
  const bytes = new Uint8Array(Buffer.from('xvaluex')).subarray(1, 6)
  const messages = toTopicMessages([
    { topic: 'a', partition: 1, key: null, value: bytes, headers: { text: 'ä', raw: bytes } },
    { topic: 'b', partition: 0, key: bytes, value: null },
    { topic: 'a', partition: 0, key: bytes, value: new Uint8Array() },
  ])
  const value = Buffer.from('value')
  expect(messages).toEqual([
    {
      topic: 'a',
      messages: [
        { partition: 1, key: null, value, headers: { text: 'ä', raw: value } },
        { partition: 0, key: value, value: Buffer.alloc(0) },
      ],
    },
    { topic: 'b', messages: [{ partition: 0, key: value, value: null }] },
  ])
})
