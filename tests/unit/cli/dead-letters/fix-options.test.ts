import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseFix } from '../../../../src/cli/dead-letters/fix-options.ts'
import { ConfigInvalid } from '../../../../src/errors.ts'

const features = [
  { name: 'width', type: 'double', nullable: true },
  { name: 'color', type: 'category', nullable: true, categories: ['red'] },
] as const
const known = { features, fields: new Set(['event_id', 'event_time', 'width', 'color', 'label']) }
const parse = (text: string) => parseFix(text, known)

describe('parseFix', () => {
  test.each([
    ['set:width=3', { kind: 'set', field: 'width', value: 3 }],
    ['set:width=-1.5e2', { kind: 'set', field: 'width', value: -150 }],
    ['set:width=null', { kind: 'set', field: 'width', value: null }],
    ['set:color=red', { kind: 'set', field: 'color', value: 'red' }],
    ['set:color=5', { kind: 'set', field: 'color', value: '5' }],
    ['set:color=a=b', { kind: 'set', field: 'color', value: 'a=b' }],
    ['set:color="null"', { kind: 'set', field: 'color', value: 'null' }],
    ['set:color=', { kind: 'set', field: 'color', value: '' }],
    ['set:event_time=1790000000000', { kind: 'set', field: 'event_time', value: 1_790_000_000_000 }],
    ['set:event_time=2030-01-31T12:00:00Z', { kind: 'set', field: 'event_time', value: '2030-01-31T12:00:00Z' }],
    ['rename:petalWidth=width', { kind: 'rename', from: 'petalWidth', to: 'width' }],
    ['drop:anything', { kind: 'drop', field: 'anything' }],
    ['schema:17', { kind: 'schema', id: 17 }],
    ['module:fix.js', { kind: 'module', path: resolve('fix.js') }],
  ])('%s', (text, fix) => {
    expect(parse(text)).toEqual(fix)
  })

  test.each([
    ['set:width=wide', 'width is a number'],
    ['set:width=Infinity', 'width is a number'],
    ['set:wdith=3', 'known: event_id, event_time, width'],
    ['set:width', '"=" are missing'],
    ['set:=3', '"=" are missing'],
    ['rename:a=b', '"b" is no field'],
    ['schema:x', 'id of a schema'],
    ['schema:4294967296', 'id of a schema'],
    ['drop:', 'name the field'],
    ['module:', 'name the file'],
    ['width=3', 'the forms are'],
    ['remove:width', 'the forms are'],
  ])('%s is refused', (text, why) => {
    expect(() => parse(text)).toThrow(ConfigInvalid)
    expect(() => parse(text)).toThrow(why)
  })
})
