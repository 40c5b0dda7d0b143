import { move, transferableSymbol, valueSymbol } from 'piscina'
import { packForest } from '../models/forest/forest-sections.ts'
import { binColumns } from '../models/forest/histogram/bin-features.ts'
import { growTrees } from '../models/forest/histogram/grow-trees.ts'
import { settleRules } from '../models/forest/histogram/growth-rules.ts'
import { joinTrees, type TreePart } from '../models/forest/histogram/join-trees.ts'
import type { NamedArray } from '../models/sections.ts'
import { buffersIn } from './buffers-in.ts'
import type { FitReply, FitResults, FitWork } from './fit-messages.ts'
import { packError } from './sent-error.ts'
import { withoutArrayMemory } from './training-errors.ts'

// What runs in a thread of the pool: one piece of work a call.

const grow = ({ binned, target, parameters, seed, nextTree }: Extract<FitWork, { type: 'grow' }>): TreePart => {
  const rules = settleRules(parameters, binned.columns, target)
  const trees: number[] = []
  const take = (): number | undefined => {
    const tree = Atomics.add(nextTree, 0, 1)
    if (tree >= parameters.trees) return undefined
    trees.push(tree)
    return tree
  }
  return { forest: growTrees(binned, target, rules, seed, take), trees }
}

/** Loaded when they are needed: a thread that grows trees alone starts without the other engines. */
const loadEngines = () => import('../models/families.ts')

const work = async (piece: FitWork): Promise<FitResults[FitWork['type']]> => {
  switch (piece.type) {
    case 'begin':
      if (piece.engine !== 'histogram') await loadEngines()
      return null
    case 'bin':
      binColumns(piece.rows, piece.maxBins, piece.binned, piece.fromColumn, piece.toColumn)
      return null
    case 'grow':
      return grow(piece)
    case 'join':
      return packForest(joinTrees(piece.parts))
    case 'fit': {
      const { createEstimator } = await loadEngines()
      const { candidate, rows, seed } = piece.task
      return createEstimator(candidate).fit(rows, seed).map(owned)
    }
  }
}

/** An array with a buffer of its own: a view on a part would be sent with the whole. */
const owned = ({ name, values }: NamedArray): NamedArray =>
  values.byteLength === values.buffer.byteLength ? { name, values } : { name, values: values.slice() }

/** Does one piece of work. Its arrays are moved to the caller, not copied. */
export default async (piece: FitWork): Promise<unknown> => {
  let reply: FitReply
  try {
    reply = { status: 'done', result: await work(piece) }
  } catch (error) {
    reply = { status: 'failed', error: packError(withoutArrayMemory(error)) }
  }
  return move({ [transferableSymbol]: buffersIn(reply), [valueSymbol]: reply })
}
