import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createKernelMemories } from '../../../../src/models/forest/kernel/kernel-memory.ts'

const PAGE_BYTES = 65_536

afterEach(() => {
  vi.unstubAllGlobals()
})

describe('kernel memories', () => {
  it('are as large as is asked for, in whole pages', () => {
    const { take } = createKernelMemories()
    expect(take(1)?.buffer.byteLength).toBe(PAGE_BYTES)
    expect(take(PAGE_BYTES + 1)?.buffer.byteLength).toBe(2 * PAGE_BYTES)
  })

  it('are used again where they are large enough and not much too large', () => {
    const { take, giveBack } = createKernelMemories()
    const memory = take(3 * PAGE_BYTES)!
    giveBack(memory)
    expect(take(4 * PAGE_BYTES)).not.toBe(memory)
    expect(take(PAGE_BYTES)).not.toBe(memory)
    expect(take(2 * PAGE_BYTES)).toBe(memory)
    expect(take(2 * PAGE_BYTES)).not.toBe(memory)
  })

  it('are kept for two models, the newest ones', () => {
    const { take, giveBack } = createKernelMemories()
    const memories = [1, 2, 3].map(() => take(1)!)
    memories.forEach(giveBack)
    expect([take(1), take(1)]).toEqual(memories.slice(1))
    expect(memories).not.toContain(take(1))
  })

  it('come back when their user is garbage, and not before', async () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage = runInNewContext('gc') as () => void
    const { take, giveBackAfter } = createKernelMemories()
    const memory = take(1)!
    const users: object[] = []
    const use = (): void => {
      const user = {}
      users.push(user)
      giveBackAfter(user, memory)
    }
    use()
    const collect = async (): Promise<void> => {
      collectGarbage()
      await setImmediate()
    }
    for (let i = 0; i < 3; i++) await collect()
    expect(take(1)).not.toBe(memory)
    users.length = 0
    let taken = take(1)
    for (let i = 0; i < 50 && taken !== memory; i++) {
      await collect()
      taken = take(1)
    }
    expect(taken).toBe(memory)
  })

  it('are not to be had beyond what 32 bits address, or where the machine refuses', () => {
    const { take } = createKernelMemories()
    expect(take(2 ** 32 + 1)).toBeNull()
    const refuse = (error: Error): void => {
      vi.stubGlobal('WebAssembly', {
        Memory: class {
          constructor() {
            throw error
          }
        },
      })
    }
    refuse(new RangeError('could not allocate memory'))
    expect(take(1)).toBeNull()
    refuse(new TypeError('a mistake'))
    expect(() => take(1)).toThrow(TypeError)
  })
})
