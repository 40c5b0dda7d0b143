import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readHeader } from '../../../../src/cli/csv/csv-header.ts'
import { type BlockScorerOptions, createBlockScorer, scoredHeader } from '../../../../src/cli/scoring/score-block.ts'
import type { Scorer } from '../../../../src/models/scorer.ts'

/** Writes what it was given: the sum as the probability of `yes`, so that every feature shows. */
const summing: Scorer = {
  kind: 'classification',
  featureNames: ['a', 'colour'],
  classNames: ['no', 'yes, "so"'],
  outputs: 2,
  scoreBlock: (features, rows, out) => {
    for (let row = 0; row < rows; row++) {
      const [a, colour] = [features[2 * row]!, features[2 * row + 1]!]
      const sum = (Number.isNaN(a) ? 0.25 : a) + (Number.isNaN(colour) ? 0.125 : colour)
      out[2 * row] = 1 - sum
      out[2 * row + 1] = sum
    }
  },
}

const scoreText = (text: string, changes: Partial<BlockScorerOptions> = {}) => {
  const block = new TextEncoder().encode(text)
  const header = readHeader(block, 'test')!
  const score = createBlockScorer({
    scorer: summing,
    features: [
      { name: 'a', column: header.names.indexOf('a'), categories: [] },
      { name: 'colour', column: header.names.indexOf('colour'), categories: ['red', 'blue'] },
    ],
    columns: header.names.length,
    keep: 'none',
    onError: 'fail',
    explainer: null,
    ...changes,
  })
  const scored = score(block, header.end)
  return { ...scored, text: new TextDecoder().decode(scored.output) }
}

describe('a block of CSV', () => {
  test('is scored by the columns of its header, in any order', () => {
    expect(scoreText('extra,colour,a\n9,blue,-0.75\n8,red,1e-1\n').text).toBe('no,0.75,0.25\nno,0.9,0.1\n')
  })

  test('missing and unknown values are scored, and the unknown counted', () => {
    const { text, rows, unknownCategories } = scoreText('a,colour\n,red\nNA,\n"0.5",green\n')
    expect(text).toBe('no,0.75,0.25\nno,0.625,0.375\n"yes, ""so""",-1.5,2.5\n')
    expect([rows, unknownCategories]).toEqual([3, 1])
  })

  test.each([
    ['fail', 'no,0.5,0.5\n'],
    ['skip', 'no,0.5,0.5\nno,0.75,0.25\n'],
    ['empty', 'no,0.5,0.5\n,,\n,,\nno,0.75,0.25\n'],
  ] as const)('a row that cannot be read with %s', (onError, expected) => {
    const scored = scoreText('a,colour\n0.5,red\n1,2,3\n\nfive,red\n.25,red\n', { onError })
    expect(scored.text).toBe(expected)
    expect(scored.faults[0]).toEqual({ line: 2, message: 'it has 3 fields, and the header 2' })
    if (onError === 'fail') return
    expect(scored.faultyRows).toBe(2)
    expect(scored.faults[1]).toMatchObject({ line: 4 })
    expect(scored.faults[1]!.message).toContain("column 'a' is 'five'")
  })

  test('columns of the input are kept as they are written', () => {
    const text = 'id,a,colour\r\n"1,""x""",0,red\r\n 2 , .5,blue\r\n'
    expect(scoreText(text, { keep: [0, 1] }).text).toBe('"1,""x""",0,no,1,0\n2,.5,"yes, ""so""",-0.5,1.5\n')
    expect(scoreText(text, { keep: 'all' }).text).toBe('"1,""x""",0,red,no,1,0\n 2 , .5,blue,"yes, ""so""",-0.5,1.5\n')
  })

  test('contributions stand behind the scores', () => {
    const explainer = {
      expected: new Float64Array(2),
      explain: (features: Float64Array, out: Float64Array, from = 0) => {
        out.set([features[from]!, 10, 20, 30])
      },
    }
    expect(scoreText('a,colour\n2,red\n-1,red\n', { explainer }).text).toBe('"yes, ""so""",-1,2,10,30\nno,2,-1,-1,20\n')
    expect(scoredHeader({ scorer: summing, kept: ['id'], explain: true })).toBe(
      'id,prediction,probability_no,"probability_yes, ""so""",shap_a,shap_colour\n',
    )
  })

  test('of plain numbers is scored as one with quotes and all, whatever stands between', () => {
    const numbers: Scorer = { ...summing, featureNames: ['a', 'b'] }
    const options = { scorer: numbers, onError: 'empty' as const }
    const number = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
      fc.constantFrom(
        '',
        '-',
        '.',
        '5.',
        '-.5',
        '1e3',
        '"7"',
        ' 8 ',
        'x',
        'NA',
        '+1',
        '1.2.3',
        '12345678901234567890.5',
      ),
      fc.tuple(fc.integer(), fc.nat(10 ** 9)).map(([whole, fraction]) => `${whole}.${fraction}${fraction}`),
    )
    const line = fc
      .tuple(fc.array(number, { minLength: 2, maxLength: 4 }), fc.constantFrom('\n', '\r\n', '\n\n', '\n\r\n'))
      .map(([fields, end]) => fields.join(',') + end)
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
        const text = `b,extra,a\n${lines.join('')}`
        const features = [
          { name: 'a', column: 2, categories: [] },
          { name: 'b', column: 0, categories: [] },
        ]
        const plain = scoreText(text, { ...options, features })
        // With columns that are kept the general way is taken; nothing of the input is left after the last two.
        const general = scoreText(text, { ...options, features, keep: [] })
        expect(plain).toEqual(general)
      }),
      { seed: 22, numRuns: 300 },
    )
  })

  test('has the scores that csv-parse and the scorer give, however many rows', () => {
    const cell = fc.double({ min: -1, max: 1, noNaN: true }).map(String)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, fc.constantFrom('red', 'blue', ''))),
        fc.integer({ min: 1, max: 40 }),
        (rows, copies) => {
          const text = `a,colour\n${rows.map((row) => `${row.join(',')}\n`).join('')}`.padEnd(9, '\n')
          const scored = scoreText(text + text.slice(text.indexOf('\n') + 1).repeat(copies * 3))
          const output = parse(scored.text) as string[][]
          expect(output.length).toBe(rows.length * (1 + copies * 3))
          output.forEach(([, no, yes], index) => {
            const [a, colour] = rows[index % rows.length]!
            const sum = Number(a) + { red: 0, blue: 1, '': 0.125 }[colour]!
            expect([Number(no), Number(yes)]).toEqual([1 - sum + 0, sum + 0])
          })
        },
      ),
      { seed: 21, numRuns: 100 },
    )
  })
})
