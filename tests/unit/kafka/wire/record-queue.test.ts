import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { codecs } from '../../../../src/kafka/compression/codecs.ts'
import {
  dataBatch,
  markerBatch,
  offsetsOf,
  queueFrom,
  readable,
  reply,
  takeAll,
  writtenBatch,
} from '../../../support/record-batches.ts'

const plain = (offsets: readonly number[], more = {}) =>
  writtenBatch({ records: offsets.map((offset) => ({ offset, value: `v${offset}` })), ...more })

describe('what is read', () => {
  test('keys, values, headers, offsets and times come as they were written', () => {
    const queue = queueFrom(7)
    const long = 'x'.repeat(20_000)
    const batch = writtenBatch({
      records: [
        { offset: 7, timestamp: 1_700_000_000_000, key: 'k', value: 'v', headers: [['a', '1']] },
        { offset: 8, timestamp: 1_600_000_000_000, key: null, value: null },
        { offset: 9, timestamp: 1_700_000_000_063, key: '', value: '' },
        { offset: 200, timestamp: 1_800_000_000_000, key: 'y'.repeat(70), value: 'z'.repeat(64) },
        {
          ...{ offset: 20_000, timestamp: -1, key: long, value: long },
          headers: [
            ['twice', 'first'],
            ['nothing', null],
            ['twice', 'last'],
            ['ä', 'umlaut'],
          ],
        },
      ],
    })
    expect(reply(queue, [batch])).toBe(5)
    expect({ records: queue.records, bytes: queue.bytes }).toEqual({ records: 5, bytes: batch.length })
    expect(takeAll(queue)).toEqual([
      { offset: 7, timestamp: 1_700_000_000_000, key: 'k', value: 'v', headers: { a: '1' } },
      { offset: 8, timestamp: 1_600_000_000_000, key: null, value: null, headers: {} },
      { offset: 9, timestamp: 1_700_000_000_063, key: '', value: '', headers: {} },
      { offset: 200, timestamp: 1_800_000_000_000, key: 'y'.repeat(70), value: 'z'.repeat(64), headers: {} },
      { offset: 20_000, timestamp: -1, key: long, value: long, headers: { twice: 'last', ä: 'umlaut' } },
    ])
    expect(queue).toMatchObject({ records: 0, bytes: 0, nextOffset: 20_001n, fetchOffset: 20_001n })
  })

  test('a header that comes last without a value says nothing', () => {
    const queue = queueFrom()
    const headers: [string, string | null][] = [
      ['a', '1'],
      ['a', null],
    ]
    reply(queue, [writtenBatch({ records: [{ offset: 0, headers }] })])
    expect(takeAll(queue)[0]?.headers).toEqual({})
  })

  test('offsets and times beyond 32 bits are exact', () => {
    const offset = 2 ** 52 + 12_345
    const queue = queueFrom(offset)
    reply(queue, [writtenBatch({ records: [{ offset, timestamp: 2 ** 50 + 1 }] })])
    expect(takeAll(queue)[0]).toMatchObject({ offset, timestamp: 2 ** 50 + 1 })
    expect(queue.nextOffset).toBe(BigInt(offset) + 1n)
  })

  test('a topic with the time of appending gives it to every record', () => {
    const queue = queueFrom()
    const records = [
      { offset: 0, timestamp: 5 },
      { offset: 1, timestamp: 6 },
    ]
    reply(queue, [writtenBatch({ records, logAppendTime: true, maxTimestamp: 99 })])
    expect(takeAll(queue).map(({ timestamp }) => timestamp)).toEqual([99, 99])
  })

  test.each(Object.entries(codecs))('a batch with %s is read', (_, codec) => {
    const queue = queueFrom()
    reply(queue, [plain([0, 1, 2], { codec }), plain([3, 4], { codec: codecs.none }), plain([5, 6], { codec })])
    expect(queue.records).toBe(7)
    expect(takeAll(queue).map(({ value }) => value)).toEqual(['v0', 'v1', 'v2', 'v3', 'v4', 'v5', 'v6'])
  })
})

describe('where reading starts and goes on', () => {
  test('records before the offset that was asked for are dropped', () => {
    for (const codec of [codecs.none, codecs.lz4]) {
      const queue = queueFrom(12)
      expect(reply(queue, [plain([10, 11, 12, 13], { codec }), plain([14])])).toBe(3)
      expect(queue.records).toBe(3)
      expect(offsetsOf(queue)).toEqual([12, 13, 14])
    }
  })

  test('many records are dropped as well as few', () => {
    for (const wanted of [999, 1000, 1001, 2500]) {
      const queue = queueFrom(wanted)
      reply(queue, [plain(Array.from({ length: 2502 }, (_, i) => i))])
      expect(queue.records).toBe(2502 - wanted)
      expect(offsetsOf(queue)[0]).toBe(wanted)
    }
  })

  test('a batch of which compaction left only older records moves the position', () => {
    const queue = queueFrom(15)
    expect(reply(queue, [plain([10, 11], { lastOffset: 19 })])).toBe(0)
    expect(queue).toMatchObject({ records: 0, bytes: 0, nextOffset: 20n, fetchOffset: 20n })
  })

  test('batches without records, as compaction leaves them, move the position', () => {
    const queue = queueFrom()
    reply(queue, [plain([], { baseOffset: 0, lastOffset: 4 }), plain([7]), plain([], { baseOffset: 8, lastOffset: 9 })])
    expect(offsetsOf(queue)).toEqual([7])
    expect(queue).toMatchObject({ nextOffset: 10n, fetchOffset: 10n })
  })

  test('a batch that is cut off is left for the next request', () => {
    const whole = plain([0, 1])
    const cut = plain([2, 3])
    for (let length = 0; length < cut.length; length++) {
      const queue = queueFrom()
      reply(queue, [whole, cut.subarray(0, length)])
      expect(offsetsOf(queue)).toEqual([0, 1])
      expect(queue).toMatchObject({ fetchOffset: 2n, broken: null })
    }
  })

  test('a batch that is never given whole ends the queue', () => {
    const queue = queueFrom()
    const cut = plain([0]).subarray(0, 40)
    for (let i = 0; i <= 100 && queue.broken === null; i++) reply(queue, [cut])
    expect(() => queue.take(1, 1)).toThrow(expect.objectContaining({ code: 'BATCH_UNREADABLE' }))
  })

  test('a reply to a request that is out of date is passed over', () => {
    const queue = queueFrom(5)
    const fetched = { records: plain([3, 4]), abortedTransactions: [] }
    expect(queue.push(fetched, 3n)).toBe(0)
    expect(queue).toMatchObject({ records: 0, fetchOffset: 5n })
  })

  test('a reply without records changes nothing', () => {
    const queue = queueFrom(5)
    expect(reply(queue, [])).toBe(0)
    expect(queue).toMatchObject({ nextOffset: 5n, fetchOffset: 5n })
    expect(queue.take(10, 10)).toBe(null)
  })

  test('clear drops everything and goes on elsewhere', () => {
    const queue = queueFrom()
    reply(queue, [plain([0, 1, 2])])
    queue.take(1, 1)
    queue.clear(40n)
    expect(queue).toMatchObject({ records: 0, bytes: 0, nextOffset: 40n, fetchOffset: 40n })
    expect(queue.take(1, 1)).toBe(null)
    reply(queue, [plain([40])])
    expect(offsetsOf(queue)).toEqual([40])
  })
})

describe('what is taken', () => {
  test('as many records as are wanted, the rest later', () => {
    const queue = queueFrom()
    reply(queue, [plain([0, 1, 2]), plain([3, 4])])
    const sizes: number[][] = []
    while (queue.records > 0) {
      sizes.push(readable(queue.take(2, Number.POSITIVE_INFINITY)).map(({ offset }) => offset))
      expect(queue.nextOffset).toBe(BigInt(sizes.flat().length))
    }
    expect(sizes).toEqual([[0, 1], [2, 3], [4]])
    expect(queue.bytes).toBe(0)
  })

  test('as many bytes as are wanted, yet always one record', () => {
    const queue = queueFrom()
    const large = writtenBatch({ records: [0, 1, 2, 3].map((offset) => ({ offset, value: 'x'.repeat(1000) })) })
    reply(queue, [large, plain([4, 5])])
    const counts: number[] = []
    while (queue.records > 0) counts.push(queue.take(100, 2100)!.length)
    expect(counts).toEqual([2, 4])
    reply(queue, [plain([6, 7])])
    expect(queue.take(100, 1)!.length).toBe(1)
  })

  test('what lies in one reply is not copied', () => {
    const queue = queueFrom()
    const records = Buffer.concat([plain([0, 1]), plain([2, 3])])
    // A buffer of its own, as replies of some size have.
    const fetched = Buffer.allocUnsafeSlow(records.length)
    records.copy(fetched)
    queue.push({ records: fetched, abortedTransactions: [] }, 0n)
    expect(queue.take(4, 1e6)!.bytes).toBe(fetched)
  })

  test('records of several replies and compressed batches come in one batch', () => {
    const queue = queueFrom()
    const headers: [string, string][] = [['h', 'is here']]
    reply(queue, [plain([0, 1]), plain([2], { codec: codecs.zstd })])
    reply(queue, [
      writtenBatch({ records: [{ offset: 3, key: 'k3', value: null, headers }] }),
      writtenBatch({ records: [{ offset: 4, key: null, value: 'v4', headers }], codec: codecs.snappy }),
    ])
    expect(takeAll(queue)).toMatchObject([
      { offset: 0, key: null, value: 'v0' },
      { offset: 1, value: 'v1' },
      { offset: 2, value: 'v2', headers: {} },
      { offset: 3, key: 'k3', value: null, headers: { h: 'is here' } },
      { offset: 4, key: null, value: 'v4', headers: { h: 'is here' } },
    ])
  })

  test('nothing at or after the end that is given; the position is then the end', () => {
    const queue = queueFrom()
    reply(queue, [plain([0, 1, 2]), plain([10, 11])])
    expect(readable(queue.take(10, 1e6, 2n)).map(({ offset }) => offset)).toEqual([0, 1])
    expect(queue.nextOffset).toBe(2n)
    expect(queue.take(10, 1e6, 2n)).toBe(null)
    expect(readable(queue.take(10, 1e6, 7n)).map(({ offset }) => offset)).toEqual([2])
    // Nothing stands between the end and the batch at 10.
    expect(queue.nextOffset).toBe(10n)
    expect(offsetsOf(queue)).toEqual([10, 11])
    expect(queue.nextOffset).toBe(12n)
  })

  test('many small replies are held and given up in order', () => {
    const queue = queueFrom()
    for (let offset = 0; offset < 500; offset++) reply(queue, [plain([offset])])
    const taken: number[] = []
    while (queue.records > 0) taken.push(...readable(queue.take(7, 1e6)).map(({ offset }) => offset))
    expect(taken).toEqual(Array.from({ length: 500 }, (_, i) => i))
  })
})

describe('bytes that are used up', () => {
  const bed = () => {
    const queue = queueFrom()
    const released: string[] = []
    const push = (name: string, ...batches: Buffer[]): number =>
      queue.push(
        { records: Buffer.concat(batches), abortedTransactions: [], release: () => released.push(name) },
        queue.fetchOffset,
      )
    return { queue, released, push }
  }

  test('are released with the take after the last batch that lies in them', () => {
    const { queue, released, push } = bed()
    push('a', plain([0, 1]), plain([2]))
    push('b', plain([3, 4]))
    queue.take(2, 1e6)
    queue.take(2, 1e6)
    // Record 2 was the last one of the first reply, and may still be in use.
    expect(released).toEqual([])
    queue.take(1, 1e6)
    expect(released).toEqual(['a'])
    expect(queue.take(1, 1e6)).toBe(null)
    expect(released).toEqual(['a', 'b'])
  })

  test('are released at once where they hold nothing to take', () => {
    const { queue, released, push } = bed()
    push('a', plain([0]))
    push('markers', markerBatch(1n, 1, 'commit'))
    expect(released).toEqual(['markers'])
    queue.push({ records: plain([7]), abortedTransactions: [], release: () => released.push('late') }, 0n)
    expect(released).toEqual(['markers', 'late'])
  })

  test('are released once when all is dropped', () => {
    const { queue, released, push } = bed()
    push('a', plain([0]))
    push('b', plain([1]))
    push('c', plain([2, 3]))
    queue.take(1, 1e6)
    queue.take(2, 1e6)
    queue.clear(0n)
    queue.clear(0n)
    expect(released.toSorted()).toEqual(['a', 'b', 'c'])
  })
})

describe('markers and aborted transactions', () => {
  test('the position goes past what follows the last record', () => {
    const queue = queueFrom()
    reply(queue, [
      dataBatch(1n, [0, 1]),
      markerBatch(1n, 2, 'commit'),
      dataBatch(1n, [3]),
      markerBatch(1n, 4, 'commit'),
    ])
    queue.take(1, 1e6)
    expect(queue.nextOffset).toBe(1n)
    queue.take(1, 1e6)
    expect(queue.nextOffset).toBe(3n)
    queue.take(1, 1e6)
    expect(queue.nextOffset).toBe(5n)
  })

  test('a reply of markers and aborted records alone moves the position, also behind what waits', () => {
    const queue = queueFrom()
    reply(queue, [dataBatch(1n, [0]), markerBatch(1n, 1, 'abort')], [[1n, 0]])
    expect(queue).toMatchObject({ records: 0, bytes: 0, nextOffset: 2n, fetchOffset: 2n })
    reply(queue, [dataBatch(1n, [2])])
    reply(queue, [markerBatch(1n, 3, 'commit')])
    expect(queue).toMatchObject({ nextOffset: 2n, fetchOffset: 4n })
    expect(offsetsOf(queue)).toEqual([2])
    expect(queue.nextOffset).toBe(4n)
  })

  test('one producer aborts again and again', () => {
    const queue = queueFrom()
    const batches = [
      ...[dataBatch(1n, [0]), markerBatch(1n, 1, 'abort')],
      ...[dataBatch(1n, [2]), markerBatch(1n, 3, 'commit')],
      ...[dataBatch(1n, [4]), markerBatch(1n, 5, 'abort'), dataBatch(1n, [6]), markerBatch(1n, 7, 'abort')],
      ...[dataBatch(1n, [8]), markerBatch(1n, 9, 'commit')],
    ]
    // In no order: the filter has to sort them.
    const aborted: [bigint, number][] = [
      [1n, 6],
      [1n, 0],
      [1n, 4],
    ]
    expect(reply(queue, batches, aborted)).toBe(2)
    expect(offsetsOf(queue)).toEqual([2, 8])
  })

  test('transactions lie among each other', () => {
    const queue = queueFrom()
    const batches = [
      ...[dataBatch(1n, [0]), dataBatch(2n, [1]), dataBatch(1n, [2]), dataBatch(3n, [3], false)],
      ...[markerBatch(2n, 4, 'commit'), dataBatch(2n, [5]), markerBatch(1n, 6, 'abort'), dataBatch(1n, [7])],
      ...[markerBatch(2n, 8, 'abort'), markerBatch(1n, 9, 'commit')],
    ]
    const aborted: [bigint, number][] = [
      [1n, 0],
      [2n, 5],
    ]
    reply(queue, batches, aborted)
    expect(offsetsOf(queue)).toEqual([1, 3, 7])
  })

  test('an aborted transaction spans two replies, each with a list of its own', () => {
    const queue = queueFrom()
    reply(queue, [dataBatch(1n, [0]), dataBatch(2n, [1])], [[1n, 0]])
    reply(queue, [dataBatch(1n, [2]), markerBatch(1n, 3, 'abort'), dataBatch(1n, [4])], [[1n, 0]])
    expect(offsetsOf(queue)).toEqual([1, 4])
  })

  test('a record that is not in a transaction is read, whatever its producer aborted', () => {
    const queue = queueFrom()
    reply(queue, [dataBatch(1n, [0], false), dataBatch(1n, [1]), markerBatch(1n, 2, 'abort')], [[1n, 1]])
    expect(offsetsOf(queue)).toEqual([0])
  })

  test('reading from the middle of an aborted transaction', () => {
    const queue = queueFrom(2)
    reply(queue, [dataBatch(1n, [1, 2, 3]), markerBatch(1n, 4, 'abort'), dataBatch(1n, [5])], [[1n, 0]])
    expect(offsetsOf(queue)).toEqual([5])
  })
})

describe('what cannot be read', () => {
  const unreadable = (says: RegExp) =>
    expect.objectContaining({ code: 'BATCH_UNREADABLE', retriable: false, message: expect.stringMatching(says) })

  test('what stands before is taken first; then the error says where', () => {
    const queue = queueFrom()
    const broken = plain([2, 3])
    broken[broken.length - 1]! ^= 1
    expect(reply(queue, [plain([0, 1]), broken, plain([4])])).toBe(2)
    expect(queue.broken).toEqual(unreadable(/offset 2 of topic-3.*checksum/))
    expect(reply(queue, [plain([2])])).toBe(0)
    expect(offsetsOf(queue)).toEqual([0, 1])
    for (let i = 0; i < 2; i++) expect(() => queue.take(1, 1)).toThrow(unreadable(/offset 2 of topic-3/))
    queue.clear(2n)
    expect(queue.broken).toBe(null)
    expect(queue.take(1, 1)).toBe(null)
  })

  test.each([0, 1])('message format v%s is refused by name', (magic) => {
    const queue = queueFrom()
    reply(queue, [plain([0], { magic })])
    expect(() => queue.take(1, 1)).toThrow(unreadable(new RegExp(`format v${magic} of before Kafka 0.11`)))
  })

  test('an unknown format or compression is refused', () => {
    for (const more of [{ magic: 3 }, { codec: 5, payload: Buffer.alloc(9) }]) {
      const queue = queueFrom()
      reply(queue, [plain([0], more)])
      expect(() => queue.take(1, 1)).toThrow(unreadable(/unknown/))
    }
  })

  test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('a %s batch that holds too much is refused', (name) => {
    const queue = queueFrom(0, 100_000)
    const bomb = writtenBatch({ records: [{ offset: 0, value: Buffer.alloc(100_001) }], codec: codecs[name] })
    reply(queue, [bomb])
    expect(() => queue.take(1, 1)).toThrow(unreadable(/holds more than the 100000 bytes/))
  })

  test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('a damaged %s batch is refused', (name) => {
    const queue = queueFrom()
    reply(queue, [plain([0, 1], { codec: codecs[name], payload: Buffer.alloc(40, 0xff) })])
    expect(() => queue.take(1, 1)).toThrow(unreadable(/damaged/))
  })

  test.each([
    ['more records than bytes', { count: 3, lastOffset: 5, payload: Buffer.alloc(20) }, /counts more records/],
    ['fewer records than there are', { count: 1 }, /bytes are left/],
    ['more records than offsets', { count: 3 }, /number of records/],
    [
      'a record longer than the batch',
      { count: 1, payload: Buffer.from([40, 0, 0, 0, 1, 1, 0]) },
      /longer than the batch/,
    ],
    ['a record of no length', { count: 1, payload: Buffer.alloc(8) }, /longer than the batch/],
    [
      'a record of a negative length',
      { count: 1, payload: Buffer.from([13, 0, 0, 0, 1, 1, 0]) },
      /longer than the batch/,
    ],
    ['a key longer than its record', { count: 1, payload: Buffer.from([12, 0, 0, 0, 20, 1, 0]) }, /key or value/],
    ['a value longer than its record', { count: 1, payload: Buffer.from([12, 0, 0, 0, 1, 20, 0]) }, /key or value/],
    ['a negative key', { count: 1, payload: Buffer.from([12, 0, 0, 0, 3, 1, 0]) }, /key or value/],
    ['an offset beyond the last one', { count: 1, payload: Buffer.from([12, 0, 0, 8, 1, 1, 0]) }, /offsets/],
    ['a negative offset', { count: 1, payload: Buffer.from([12, 0, 0, 1, 1, 1, 0]) }, /offsets/],
    [
      'bytes after the value',
      { count: 1, payload: Buffer.from([14, 0, 0, 0, 1, 1, 0, 0]) },
      /longer than what it holds/,
    ],
  ])('%s', (_, more, says) => {
    for (const codec of [codecs.none, codecs.gzip]) {
      const queue = queueFrom()
      reply(queue, [plain([0, 1], { ...more, codec, ...packed(codec, { payload: undefined, ...more }) })])
      let taken = 0
      expect(() => {
        for (let i = 0; i < 3; i++) taken += queue.take(10, 1e6)?.length ?? 0
      }).toThrow(unreadable(says))
      expect(taken).toBeLessThanOrEqual(1)
    }
  })

  test.each([
    ['more than there are', Buffer.from([16, 0, 0, 0, 1, 1, 4, 0, 1])],
    ['a negative number', Buffer.from([12, 0, 0, 0, 1, 1, 1])],
    ['a name that is too long', Buffer.from([16, 0, 0, 0, 1, 1, 2, 90, 1])],
    ['a value that is too long', Buffer.from([16, 0, 0, 0, 1, 1, 2, 0, 90])],
    ['a value of a negative length', Buffer.from([16, 0, 0, 0, 1, 1, 2, 0, 3])],
    ['bytes after them', Buffer.from([18, 0, 0, 0, 1, 1, 2, 0, 1, 0])],
  ])('headers: %s', (_, payload) => {
    const queue = queueFrom()
    reply(queue, [plain([0], { count: 1, payload })])
    const batch = queue.take(1, 1e6)!
    expect(() => batch.headersOf(0)).toThrow(unreadable(/headers/))
  })

  test('what compression hides of an older record is told at once', () => {
    const queue = queueFrom(1)
    reply(queue, [plain([0, 1], { codec: codecs.gzip, payload: Buffer.alloc(9) })])
    expect(queue).toMatchObject({ records: 0, bytes: 0, fetchOffset: 1n, broken: unreadable(/gzip/) })
  })
})

const packed = (codec: number, { payload }: { payload?: Buffer | undefined }) =>
  codec === 0 || payload === undefined ? {} : { payload: gzipSync(payload) }
