import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Stands between a client and its server, to break the line between them. */
export type TcpProxy = {
  readonly port: number
  /** Breaks all connections and refuses new ones. */
  cut: () => void
  /** Keeps connections open and accepts new ones, but nothing comes through: what a lost network looks like. */
  stall: () => void
  /** Lets everything through, late and at most so fast: new connections and those that are open. */
  slow: (how: { readonly delayMs: number; readonly bytesPerSecond: number }) => void
  /** Lets new connections through again. One that stalled stays open and dead, as after a router forgot it. */
  heal: () => void
  close: () => Promise<void>
}

/** What becomes of bytes on their way: they, or others, are passed on; `cut` breaks the connection instead. */
export type Passage = Buffer | null | 'cut'

/** Looks at what passes on one connection, and may hold it back: what comes behind waits for a promise. */
export type ConnectionTap = {
  readonly toServer: (chunk: Buffer) => Passage | Promise<Passage>
  readonly toClient: (chunk: Buffer) => Passage | Promise<Passage>
}

const openTap: ConnectionTap = { toServer: (chunk) => chunk, toClient: (chunk) => chunk }

/**
 * Forwards a free local port to `host:port`. A side that does not read holds the other one back, as one line would.
 * @param createTap called for each connection
 */
export const createTcpProxy = async (
  target: { host: string; port: number },
  createTap: () => ConnectionTap = () => openTap,
): Promise<TcpProxy> => {
  let mode: 'open' | 'cut' | 'stalled' = 'open'
  let pace: { delayMs: number; bytesPerSecond: number } | undefined
  const sockets = new Set<Socket>()
  const open = new Set<Socket>()
  const dead = new WeakSet<Socket>()

  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    return socket
  }

  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy()
  }

  const pass = (bytes: Buffer, from: Socket, to: Socket): void => {
    if (to.write(bytes)) {
      from.resume()
      return
    }
    from.pause()
    to.once('drain', () => from.resume())
  }

  const server = createServer((client) => {
    keep(client)
    if (mode === 'cut') {
      client.destroy()
      return
    }
    // Unread data must not hold back the end of a stalled connection.
    client.resume()
    if (mode === 'stalled') return
    const upstream = keep(connect(target))
    const tap = createTap()
    const forward = (from: Socket, to: Socket, look: ConnectionTap['toServer']): void => {
      let late = Promise.resolve()
      const forwardOne = (passage: Passage): void => {
        if (passage === 'cut') {
          client.destroy()
          return
        }
        if (passage === null || passage.length === 0) return
        if (pace === undefined) {
          pass(passage, from, to)
          return
        }
        from.pause()
        const waitMs = pace.delayMs + (passage.length * 1000) / pace.bytesPerSecond
        late = new Promise((done) => {
          setTimeout(() => {
            if (!dead.has(client)) pass(passage, from, to)
            done()
          }, waitMs)
        })
      }
      from.on('data', (chunk) => {
        if (dead.has(client)) return
        const passage = look(chunk)
        if (!(passage instanceof Promise)) {
          forwardOne(passage)
          return
        }
        from.pause()
        passage.then((released) => {
          if (dead.has(client) || to.destroyed) return
          from.resume()
          forwardOne(released)
        })
      })
      from.on('close', () => {
        // What is still on its way arrives before the end does.
        late.then(() => {
          if (!dead.has(client)) to.end()
        })
      })
    }
    forward(client, upstream, tap.toServer)
    forward(upstream, client, tap.toClient)
    open.add(client)
    client.on('close', () => {
      open.delete(client)
      upstream.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  return {
    port: (server.address() as AddressInfo).port,
    cut: () => {
      mode = 'cut'
      breakAll()
    },
    stall: () => {
      mode = 'stalled'
      for (const client of open) dead.add(client)
    },
    slow: (how) => {
      pace = how
    },
    heal: () => {
      mode = 'open'
      pace = undefined
    },
    close: async () => {
      breakAll()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The same for a server named by a URL: the URL of the proxy. */
export const createUrlProxy = async (
  url: string,
  defaultPort: number,
): Promise<TcpProxy & { readonly url: string }> => {
  const target = new URL(url)
  const proxy = await createTcpProxy({ host: target.hostname, port: Number(target.port || defaultPort) })
  const through = new URL(url)
  through.hostname = '127.0.0.1'
  through.port = String(proxy.port)
  return { ...proxy, url: through.toString() }
}
