import {
  CELL_BYTES,
  CHILD_BYTE,
  COLUMN_BYTE,
  COLUMN_BYTES,
  GROUP_ROWS,
  GROUP_TREES,
  LEAF_MARK,
  MARK_BYTE,
  NODE_BITS,
  NODE_BYTES,
  THRESHOLD_BYTE,
} from '../forest-nodes.ts'
import { assembleModule, type Code, doWhile, f64, get, i32, select, set, tee, type WasmFunction } from './wasm-code.ts'

/** A tree in the kernel's table, 3 int32: its root's byte offset, its depth, the greatest depth of its group of trees. */
export const TREE_WORDS = 3
export const TREE_BYTES = 12
const ROOT_BYTE = 0
const DEPTH_BYTE = 4
const GROUP_DEPTH_BYTE = 8

/** Beyond so many outputs a loop adds them, which is slower for each but keeps the code short. */
const UNROLLED_OUTPUTS = 16

const OUTPUT_BYTES = 8

/** Places are byte addresses in the kernel's memory, where nodes begin at 0. Sums are added to. */
export type ForestKernel = {
  /**
   * Checks the nodes of a tree, from its root to its end, which is beyond it.
   * @returns the depth of the tree, or -1 if a node is at fault
   */
  readonly checkTree: (root: number, end: number, columnsBytes: number, leafRows: number) => number
  /** Adds the leaves of all trees to the sums of groups of rows. Depths are at least 1. */
  readonly addGroups: (
    trees: number,
    treesEnd: number,
    cells: number,
    cellsEnd: number,
    groupBytes: number,
    leaves: number,
    sums: number,
  ) => void
  /** The same for the first row of a group; the trees must be a multiple of `GROUP_TREES`. */
  readonly addRow: (trees: number, treesEnd: number, cells: number, leaves: number, sums: number) => void
}

const range = (length: number): number[] => Array.from({ length }, (_, i) => i)

/** One step of a walk: the node becomes its right child, or the left one behind it if the cell is at most the threshold. */
const step = (node: number, cells: number, cellOffset: number): Code => {
  const cell = f64.load(i32.add(get(cells), i32.load(get(node), COLUMN_BYTE)), cellOffset)
  const goesLeft = f64.atMost(cell, f64.load(get(node), THRESHOLD_BYTE))
  return set(node, i32.add(i32.load(get(node), CHILD_BYTE), i32.shl(goesLeft, NODE_BITS)))
}

const subtractOne = (local: number): Code => tee(local, i32.sub(get(local), i32.const(1)))
const advance = (local: number, by: Code): Code => set(local, i32.add(get(local), by))

/** Adds the row of leaves that a node names to the sums at `sums + offset`. */
const addLeaf = (
  outputs: number,
  { node, leaves, sums, offset, leaf, sum, left }: Record<AddLeafLocals, number>,
): Code[] => {
  const row = i32.load(get(node), THRESHOLD_BYTE)
  const address = set(leaf, i32.add(get(leaves), i32.mul(row, i32.const(outputs * OUTPUT_BYTES))))
  const addOne = (to: number, byte: number, toByte: number): Code =>
    f64.store(get(to), f64.add(f64.load(get(to), toByte), f64.load(get(leaf), byte)), toByte)
  if (outputs <= UNROLLED_OUTPUTS) {
    return [address, ...range(outputs).map((o) => addOne(sums, o * OUTPUT_BYTES, offset + o * OUTPUT_BYTES))]
  }
  return [
    address,
    set(sum, i32.add(get(sums), i32.const(offset))),
    set(left, i32.const(outputs)),
    doWhile(
      [addOne(sum, 0, 0), advance(sum, i32.const(OUTPUT_BYTES)), advance(leaf, i32.const(OUTPUT_BYTES))],
      subtractOne(left),
    ),
  ]
}

type AddLeafLocals = 'node' | 'leaves' | 'sums' | 'offset' | 'leaf' | 'sum' | 'left'

/** Tree by tree, so that a tree's nodes stay in the cache; within it group by group. */
const addGroups = (outputs: number): WasmFunction => {
  const [tree, treesEnd, cells, cellsEnd, groupBytes, leaves, sums] = [0, 1, 2, 3, 4, 5, 6]
  const [group, groupSums, steps, leaf, sum, left] = [7, 8, 9, 10, 11, 12]
  const nodes = range(GROUP_ROWS).map((row) => 13 + row)
  const rowBytes = outputs * OUTPUT_BYTES
  const walkGroup = [
    ...nodes.map((node) => set(node, i32.load(get(tree), ROOT_BYTE))),
    set(steps, i32.load(get(tree), DEPTH_BYTE)),
    doWhile(
      nodes.map((node, row) => step(node, group, row * CELL_BYTES)),
      subtractOne(steps),
    ),
    ...nodes.flatMap((node, row) =>
      addLeaf(outputs, { node, leaves, sums: groupSums, offset: row * rowBytes, leaf, sum, left }),
    ),
    advance(groupSums, i32.const(GROUP_ROWS * rowBytes)),
  ]
  return {
    name: 'addGroups',
    parameters: 7,
    results: 0,
    locals: 6 + GROUP_ROWS,
    body: [
      doWhile(
        [
          set(group, get(cells)),
          set(groupSums, get(sums)),
          doWhile(walkGroup, i32.below(tee(group, i32.add(get(group), get(groupBytes))), get(cellsEnd))),
        ],
        i32.below(tee(tree, i32.add(get(tree), i32.const(TREE_BYTES))), get(treesEnd)),
      ),
    ],
  }
}

/** Several trees at once; their leaves are added in the order of the trees, as in `addGroups`. */
const addRow = (outputs: number): WasmFunction => {
  const [trees, treesEnd, cells, leaves, sums] = [0, 1, 2, 3, 4]
  const [steps, leaf, sum, left] = [5, 6, 7, 8]
  const nodes = range(GROUP_TREES).map((tree) => 9 + tree)
  return {
    name: 'addRow',
    parameters: 5,
    results: 0,
    locals: 4 + GROUP_TREES,
    body: [
      doWhile(
        [
          ...nodes.map((node, tree) => set(node, i32.load(get(trees), ROOT_BYTE + tree * TREE_BYTES))),
          set(steps, i32.load(get(trees), GROUP_DEPTH_BYTE)),
          doWhile(
            nodes.map((node) => step(node, cells, 0)),
            subtractOne(steps),
          ),
          ...nodes.flatMap((node) => addLeaf(outputs, { node, leaves, sums, offset: 0, leaf, sum, left })),
        ],
        i32.below(tee(trees, i32.add(get(trees), i32.const(GROUP_TREES * TREE_BYTES))), get(treesEnd)),
      ),
    ],
  }
}

/**
 * The same check as that of `checkNodes`, which says in words what is wrong; every fault sets bits that stay set. A
 * little faster once both are warm (0.86 ms for 192,000 nodes, against 1.0), and five times in a process's first load.
 */
const checkTree: WasmFunction = (() => {
  const [root, end, columnsBytes, leafRows] = [0, 1, 2, 3]
  const [node, children, levelEnd, depth, fault, isLeaf, isNewLevel] = [4, 5, 6, 7, 8, 9, 10]
  const word = (byte: number): Code => i32.load(get(node), byte)
  const noteIf = (bits: Code): Code => set(fault, i32.or(get(fault), bits))
  const forLeaf = (value: Code, otherwise: Code): Code => select(get(isLeaf), value, otherwise)
  const checkNode = [
    set(isNewLevel, i32.equal(get(node), get(levelEnd))),
    advance(depth, get(isNewLevel)),
    set(levelEnd, select(get(isNewLevel), get(children), get(levelEnd))),
    // It is the child of a node before it.
    noteIf(i32.notBelow(get(node), get(children))),
    set(isLeaf, i32.equal(word(MARK_BYTE), i32.const(LEAF_MARK))),
    noteIf(i32.xor(word(CHILD_BYTE), forLeaf(get(node), get(children)))),
    noteIf(i32.and(word(COLUMN_BYTE), forLeaf(i32.const(-1), i32.const(COLUMN_BYTES - 1)))),
    noteIf(i32.notBelow(word(COLUMN_BYTE), forLeaf(i32.const(1), get(columnsBytes)))),
    noteIf(forLeaf(i32.notBelow(word(THRESHOLD_BYTE), get(leafRows)), f64.isNaN(f64.load(get(node), THRESHOLD_BYTE)))),
    advance(children, forLeaf(i32.const(0), i32.const(2 * NODE_BYTES))),
  ]
  return {
    name: 'checkTree',
    parameters: 4,
    results: 1,
    locals: 7,
    body: [
      set(node, get(root)),
      set(children, i32.add(get(root), i32.const(NODE_BYTES))),
      set(levelEnd, get(children)),
      doWhile(checkNode, i32.below(tee(node, i32.add(get(node), i32.const(NODE_BYTES))), get(end))),
      noteIf(i32.xor(get(children), get(end))),
      select(get(fault), i32.const(-1), get(depth)),
    ],
  }
})()

const modules = new Map<number, WebAssembly.Module>()

/** Made once per process and number of outputs: about 3 KB of code, which takes less than a millisecond. */
const kernelModule = (outputs: number): WebAssembly.Module => {
  const known = modules.get(outputs)
  if (known !== undefined) return known
  const module = new WebAssembly.Module(assembleModule([checkTree, addGroups(outputs), addRow(outputs)]))
  modules.set(outputs, module)
  return module
}

/** The code that walks forests, over a memory of their own. It reads and writes nothing else. */
export const openKernel = (outputs: number, memory: WebAssembly.Memory): ForestKernel =>
  new WebAssembly.Instance(kernelModule(outputs), { host: { memory } }).exports as unknown as ForestKernel
