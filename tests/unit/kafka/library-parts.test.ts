import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { crc32c, wasmCompressions } from '../../../src/kafka/library-parts.ts'

test('the checksum is CRC-32C', () => {
  // https://www.rfc-editor.org/rfc/rfc3720#appendix-B.4, and the check value of the catalogue of CRCs.
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa)
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43)
  // Of a view, not of the memory behind it.
  expect(crc32c(Buffer.from('..123456789..').subarray(2, 11))).toBe(0xe3069283)
})

test('what was compressed keeps its bytes when more is compressed', () => {
  for (const compress of [wasmCompressions().lz4, wasmCompressions().snappy]) {
    const first = compress(Buffer.alloc(1000, 1))
    const before = Buffer.from(first)
    compress(Buffer.alloc(200_000, 2))
    expect(first).toEqual(before)
  }
})

test('a process that talks to Kafka by kafkajs does not load the other library', async () => {
  const client = pathToFileURL(resolve('src/kafka/kafkajs/client.ts')).href
  const script = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context) } })
    await import(${JSON.stringify(client)})
    console.log(JSON.stringify(loaded.filter((url) => /node_modules/.test(url))))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script])
  const loaded: string[] = JSON.parse(stdout)
  expect(loaded.some((url) => url.includes('/kafkajs/'))).toBe(true)
  expect(loaded.filter((url) => url.includes('@platformatic/kafka'))).toEqual([])
})
