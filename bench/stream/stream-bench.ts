import type { BenchLine } from '../models/model-bench.ts'
import type { Peer } from '../peers.ts'
import type { StreamWorld } from './stream-world.ts'

/** Measures some lines of the stream. `open` gives servers and a trained model of their own; close them again. */
export type StreamBench = (context: {
  readonly peer: Peer
  readonly say: (progress: string) => void
  readonly open: (stream?: Record<string, unknown>) => Promise<StreamWorld>
}) => Promise<BenchLine[]>
