import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AliasName, AliasState } from '../../../src/registry/registry-types.ts'
import { findRollbackTarget } from '../../../src/registry/rollback-target.ts'

const empty: AliasState = { epoch: 0, aliases: {}, shadows: [], history: [] }

const move = (state: AliasState, version: string, undoes?: number, alias: AliasName = 'production'): AliasState => ({
  ...state,
  epoch: state.epoch + 1,
  aliases: { ...state.aliases, [alias]: version },
  history: [
    ...state.history,
    {
      epoch: state.epoch + 1,
      alias,
      version,
      previous: state.aliases[alias] ?? null,
      actor: 'tester',
      reason: 'because',
      at: 0,
      ...(undoes === undefined ? {} : { undoes }),
    },
  ],
})

const promoteAll = (...versions: string[]): AliasState =>
  versions.reduce((state, version) => move(state, version), empty)

const rollBack = (state: AliasState): AliasState => {
  const target = findRollbackTarget(state)
  if (target === null) throw new Error('nothing to roll back')
  return move(state, target.version, target.undoes)
}

describe('where a rollback leads', () => {
  test('nowhere without an earlier version', () => {
    expect(findRollbackTarget(empty)).toBeNull()
    expect(findRollbackTarget(promoteAll('1'))).toBeNull()
    expect(findRollbackTarget(promoteAll('1', '1', '1'))).toBeNull()
  })

  test('to the version before', () => {
    expect(findRollbackTarget(promoteAll('1', '2', '3'))).toEqual({ version: '2', undoes: 3 })
  })

  test('further back the second time, and not to the version that was left', () => {
    const once = rollBack(promoteAll('1', '2', '3'))
    const twice = rollBack(once)
    expect([once.aliases.production, twice.aliases.production]).toEqual(['2', '1'])
    expect(findRollbackTarget(twice)).toBeNull()
  })

  test('to what served when the present version was promoted, also after a rollback', () => {
    const state = move(rollBack(promoteAll('1', '2', '3')), '4')
    expect(findRollbackTarget(state)?.version).toBe('2')
    expect(rollBack(rollBack(state)).aliases.production).toBe('1')
  })

  test('to the newer version where the older one was promoted by hand', () => {
    expect(findRollbackTarget(promoteAll('1', '2', '1'))?.version).toBe('2')
  })

  test('past promotions of the version that served already', () => {
    const state = promoteAll('1', '2', '2', '2')
    expect(findRollbackTarget(state)).toEqual({ version: '1', undoes: 2 })
    expect(findRollbackTarget(rollBack(state))).toBeNull()
  })

  test('other aliases do not matter', () => {
    const state = move(move(promoteAll('1', '2'), '3', undefined, 'staging'), '4', undefined, 'candidate')
    expect(findRollbackTarget(state)).toEqual({ version: '1', undoes: 2 })
  })

  test('for any promotions and rollbacks it is the stack of distinct versions below the present one', () => {
    const step = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant('back' as const))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let state = empty
        const stack: string[] = []
        for (const next of steps) {
          const target = findRollbackTarget(state)
          expect(target?.version).toBe(stack.at(-2))
          if (next !== 'back') {
            state = move(state, String(next))
            if (stack.at(-1) !== String(next)) stack.push(String(next))
          } else if (target !== null) {
            state = rollBack(state)
            stack.pop()
          }
          expect(state.aliases.production).toBe(stack.at(-1))
        }
      }),
    )
  })
})
