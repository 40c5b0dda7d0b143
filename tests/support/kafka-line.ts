import { type ConnectionTap, createTcpProxy, type Passage, type TcpProxy } from './tcp-proxy.ts'

/** Keys of the requests that can be lost (Kafka protocol guide, "Api Keys"). */
const API_KEYS = {
  Produce: 0,
  Fetch: 1,
  Metadata: 3,
  OffsetFetch: 9,
  FindCoordinator: 10,
  JoinGroup: 11,
  Heartbeat: 12,
  SyncGroup: 14,
  InitProducerId: 22,
  AddPartitionsToTxn: 24,
  AddOffsetsToTxn: 25,
  EndTxn: 26,
  TxnOffsetCommit: 28,
} as const

export type ApiName = keyof typeof API_KEYS

export type Loss = {
  readonly api: ApiName
  /** A lost request was never seen by the broker; of a lost reply the work is done. */
  readonly what: 'request' | 'reply'
  /** What becomes of the connection: it breaks, or it stays open and the client waits. */
  readonly connection: 'breaks' | 'stays'
}

/** A line to a broker that knows requests from each other and can lose one. */
export type KafkaLine = TcpProxy & {
  /** Loses the next exchange of this kind, once. Resolves when it was lost. */
  readonly lose: (loss: Loss) => Promise<void>
}

/** Cuts a stream into frames: four bytes of length, and as many bytes. A part of a frame waits for the rest. */
const createFrames = (): ((chunk: Buffer) => Buffer[]) => {
  let pending: Buffer = Buffer.alloc(0)
  return (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    const frames: Buffer[] = []
    while (pending.length >= 4) {
      const end = 4 + pending.readInt32BE(0)
      if (pending.length < end) break
      frames.push(pending.subarray(0, end))
      pending = pending.subarray(end)
    }
    return frames
  }
}

/** Forwards a free local port to a broker's plain listener. */
export const createKafkaLine = async (target: { host: string; port: number }): Promise<KafkaLine> => {
  type Order = Loss & { readonly lost: () => void }
  const orders: Order[] = []

  const take = (api: number, what: Loss['what']): Order | undefined => {
    const index = orders.findIndex((order) => API_KEYS[order.api] === api && order.what === what)
    return index < 0 ? undefined : orders.splice(index, 1)[0]
  }

  const createTap = (): ConnectionTap => {
    /** Api keys by correlation id, of requests that are under way. */
    const underWay = new Map<number, number>()
    const requests = createFrames()
    const replies = createFrames()

    const passing = (frames: readonly Buffer[], orderFor: (frame: Buffer) => Order | undefined): Passage => {
      const passed: Buffer[] = []
      for (const frame of frames) {
        const order = orderFor(frame)
        order?.lost()
        if (order?.connection === 'breaks') return 'cut'
        if (order === undefined) passed.push(frame)
      }
      return passed.length === 1 ? passed[0]! : Buffer.concat(passed)
    }

    return {
      toServer: (chunk) =>
        passing(requests(chunk), (frame) => {
          const api = frame.readInt16BE(4)
          underWay.set(frame.readInt32BE(8), api)
          return take(api, 'request')
        }),
      toClient: (chunk) =>
        passing(replies(chunk), (frame) => {
          const correlation = frame.readInt32BE(4)
          const api = underWay.get(correlation)
          underWay.delete(correlation)
          return api === undefined ? undefined : take(api, 'reply')
        }),
    }
  }

  return {
    ...(await createTcpProxy(target, createTap)),
    lose: (loss) => new Promise((lost) => orders.push({ ...loss, lost })),
  }
}
