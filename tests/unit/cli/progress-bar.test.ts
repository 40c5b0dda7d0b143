import { expect, test } from 'vitest'
import { progressBar } from '../../../src/cli/progress-bar.ts'

test('a bar has its share filled, and tells rows and rate', () => {
  expect(progressBar(0.5, 1_500_000, 2)).toBe(
    `${'█'.repeat(12)}${'░'.repeat(12)}  50 %  1,500,000 rows, 750,000 rows/s`,
  )
  expect(progressBar(1.2, 10, 0)).toBe(`${'█'.repeat(24)} 100 %  10 rows`)
  expect(progressBar(null, 10, 1)).toBe('10 rows, 10 rows/s')
})
