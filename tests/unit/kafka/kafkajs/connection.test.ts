import { createServer, Socket } from 'node:net'
import { expect, test, vi } from 'vitest'
import { rememberingFactory } from '../../../../src/kafka/kafkajs/connection.ts'

test('a small request waits for no acknowledgement of the one before, and a socket is forgotten when it is closed', async () => {
  const setNoDelay = vi.spyOn(Socket.prototype, 'setNoDelay')
  const server = createServer((socket) => socket.end())
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  try {
    const { port } = server.address() as { port: number }
    const open = new Map<string, Set<Socket>>()
    const request = { host: '127.0.0.1', port, onConnect: () => undefined }
    const socket = rememberingFactory(open)(request as Parameters<ReturnType<typeof rememberingFactory>>[0])
    expect(setNoDelay.mock.contexts).toEqual([socket])
    expect(open.get(`127.0.0.1:${port}`)).toEqual(new Set([socket]))
    await new Promise((closed) => socket.resume().once('close', closed))
    expect(open.get(`127.0.0.1:${port}`)).toEqual(new Set())
  } finally {
    setNoDelay.mockRestore()
    server.close()
  }
})
