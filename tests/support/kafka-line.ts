import { connect } from 'node:net'
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

/** A line to a broker that knows requests from each other and can lose, delay or stop one. */
export type KafkaLine = TcpProxy & {
  /** Loses the next exchange of this kind, once. Resolves when it was lost. */
  readonly lose: (loss: Loss) => Promise<void>
  /** Loses every exchange of this kind until the returned function is called. */
  readonly loseAll: (loss: Loss) => () => void
  /**
   * Takes the next request of this kind off the line and breaks its connection: to the client it is lost. Resolves
   * then, with what brings it to the broker after all, and resolves when the broker has answered it.
   */
  readonly delay: (api: ApiName) => Promise<() => Promise<void>>
  /** Stops the next request of this kind on its open connection. Resolves then, with what lets it go on. */
  readonly stop: (api: ApiName) => Promise<() => void>
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

/** Sends a request on a connection of its own, and waits for the reply. */
const sendAlone = (target: { host: string; port: number }, request: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    const replies = createFrames()
    const socket = connect(target, () => socket.write(request))
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the broker closed the connection of a late request')))
    socket.on('data', (chunk) => {
      if (replies(chunk).length === 0) return
      resolve()
      socket.destroy()
    })
  })

type Order = {
  readonly api: ApiName
  readonly what: Loss['what']
  /** What becomes of the connection of the exchange, and so of the exchange; `stops`: it waits for `goesOn`. */
  readonly connection: Loss['connection'] | 'stops'
  readonly always: boolean
  /** Told of the exchange when its turn has come. */
  readonly met: (frame: Buffer) => void
  readonly goesOn?: Promise<void>
}

/** Forwards a free local port to a broker's plain listener. */
export const createKafkaLine = async (target: { host: string; port: number }): Promise<KafkaLine> => {
  const orders: Order[] = []

  const take = (api: number, what: Loss['what']): Order | undefined => {
    const index = orders.findIndex((order) => API_KEYS[order.api] === api && order.what === what)
    if (index < 0) return undefined
    return orders[index]!.always ? orders[index] : orders.splice(index, 1)[0]
  }

  const createTap = (): ConnectionTap => {
    /** Api keys by correlation id, of requests that are under way. */
    const underWay = new Map<number, number>()
    const requests = createFrames()
    const replies = createFrames()

    const passing = (
      frames: readonly Buffer[],
      orderFor: (frame: Buffer) => Order | undefined,
    ): Passage | Promise<Passage> => {
      const passed: Buffer[] = []
      let goesOn: Promise<void> | undefined
      for (const frame of frames) {
        const order = orderFor(frame)
        order?.met(frame)
        if (order?.connection === 'breaks') return 'cut'
        if (order?.connection !== 'stays') passed.push(frame)
        goesOn ??= order?.goesOn
      }
      const bytes = passed.length === 1 ? passed[0]! : Buffer.concat(passed)
      return goesOn === undefined ? bytes : goesOn.then(() => bytes)
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
    lose: (loss) => new Promise((lost) => orders.push({ ...loss, always: false, met: () => lost() })),
    loseAll: (loss) => {
      const order: Order = { ...loss, always: true, met: () => undefined }
      orders.push(order)
      return () => {
        orders.splice(orders.indexOf(order), 1)
      }
    },
    delay: (api) =>
      new Promise((delayed) => {
        const met = (frame: Buffer): void => {
          const request = Buffer.from(frame)
          delayed(() => sendAlone(target, request))
        }
        orders.push({ api, what: 'request', connection: 'breaks', always: false, met })
      }),
    stop: (api) =>
      new Promise((stopped) => {
        const { promise: goesOn, resolve: letGo } = Promise.withResolvers<void>()
        orders.push({ api, what: 'request', connection: 'stops', always: false, goesOn, met: () => stopped(letGo) })
      }),
  }
}
