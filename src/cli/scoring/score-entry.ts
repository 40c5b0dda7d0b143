import { enableCompileCache } from 'node:module'
import { type MessagePort, parentPort } from 'node:worker_threads'
import type { ScoredCsv } from './score-block.ts'
import type { ScoringPlan, ScoringRequest } from './score-messages.ts'

// What runs in a scoring thread. The first message is the plan; each request after it is answered with its `ScoredCsv`,
// in order. An error ends the thread.
// A thread does not inherit the cache of compiled code; what is imported before it is there is compiled anew.
enableCompileCache()
const { openBlockScorer } = await import('./open-block-scorer.ts')

const port = parentPort as MessagePort
let opening: Promise<(block: Uint8Array, from: number) => ScoredCsv> | undefined
port.on('message', async (message: ScoringPlan | ScoringRequest) => {
  if ('model' in message) {
    opening = openBlockScorer(message)
    await opening
    return
  }
  const score = await opening!
  const scored = score(message.block, message.from)
  port.postMessage(scored, [scored.output.buffer])
})
