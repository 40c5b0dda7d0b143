import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const trimHeap = fileURLToPath(new URL('../../../../src/cli/roles/trim-heap.ts', import.meta.url))

/** In a process of its own: what others left in the heap of this one would count. */
const program = `
  import { getHeapSpaceStatistics } from 'node:v8'
  import { runInNewContext } from 'node:vm'
  import { trimHeap } from ${JSON.stringify(trimHeap)}
  const young = () => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size / 2 ** 20
  let kept = []
  for (let i = 0; i < 2_000_000; i++) {
    kept.push({ i })
    if (kept.length > 200_000) kept = []
  }
  const before = young()
  trimHeap()
  console.log(JSON.stringify({ before, after: young(), gc: [typeof gc, runInNewContext('typeof gc')] }))
`

test('gives back the space that young objects took, and leaves no way to collect behind', () => {
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' })
  const { before, after, gc } = JSON.parse(output) as { before: number; after: number; gc: string[] }
  expect(before).toBeGreaterThan(8)
  expect(after).toBeLessThan(4)
  expect(gc).toEqual(['undefined', 'undefined'])
})
