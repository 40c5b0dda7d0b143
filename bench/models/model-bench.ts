import type { Peer } from '../peers.ts'

/** One line of the table: a measure, ours beside the peer's, and whether the target is met. */
export type BenchLine = {
  readonly measure: string
  readonly ours: string
  /** The peer's figure with its name, or '-' where the target is absolute. */
  readonly peer: string
  /** What the target is about: a ratio, a difference, a time. */
  readonly figure: string
  readonly target: string
  readonly met: boolean
}

/** Measures some lines. Ours and the peer's runs alternate; what is given is the median. */
export type ModelBench = (context: {
  readonly peer: Peer
  readonly say: (progress: string) => void
}) => Promise<BenchLine[]>

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
