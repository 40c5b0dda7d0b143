import { describe, expect, test } from 'vitest'
import { otherDialect } from '../../../src/cli/csv-dialect.ts'

const look = (text: string) => otherDialect(new TextEncoder().encode(text))

describe('a table that is not CSV as it is read here', () => {
  test.each([
    ['a;b;c\n1;2;3\n', 'separated by semicolons'],
    ['\uFEFF"a";"b"\r\n1,5;2\r\n', 'separated by semicolons'],
    ['\n\na\tb\n1\t2\n', 'separated by tabs'],
    ['a|b', 'separated by vertical bars'],
    ['a,b\r1,2\r3,4\r', 'carriage returns alone'],
    [`a${';b'.repeat(60_000)}\n`, 'separated by semicolons'],
  ])('%.20j is told', (text, fault) => {
    expect(look(text)).toContain(fault)
  })

  test.each([
    'a,b\n1;2,3\n',
    '"a;b"\n1\n',
    '"a\tb",c\r\n1,2\r\n',
    'a;b,c\n1,2\n',
    'a\n1;2\n',
    'a,b\r\n1,2\r',
    // A stream may bring its first bytes without the end of the line.
    'a,b\r',
    'a\r\r\n1\r\r\n',
    '',
    '\n',
  ])('%j is not', (text) => {
    expect(look(text)).toBeNull()
  })
})
