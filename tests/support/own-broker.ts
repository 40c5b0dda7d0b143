import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { prepareNativePrograms, prepareServer } from '../../dev/stack/native-servers.ts'
import { choosePort } from '../../dev/stack/ports.ts'
import { isHealthy } from '../../dev/stack/probes.ts'
import { eventually } from './eventually.ts'
import { temporaryFolder } from './kafka.ts'
import { createKafkaLine, type KafkaLine } from './kafka-line.ts'
import { createOwnProcess } from './own-process.ts'

/** A way to a broker: clients that come in by this address stay on its line, whatever the broker tells them. */
export type Entrance = { readonly address: string; readonly line: KafkaLine }

/** A Kafka broker that a test may kill, behind a line that it may break. */
export type OwnBroker = Entrance & {
  /** Past the line of the others: for a client that shall not feel what they feel. */
  readonly aside: Entrance
  /** Kills the broker as a power cut would. */
  readonly kill: () => Promise<void>
  /** Starts it again, with the same data. */
  readonly start: () => Promise<void>
  readonly close: () => Promise<void>
}

/** A transaction that is over its time is aborted so soon after it; ten seconds by default. */
export const CLEANUP_INTERVAL_MS = 1000

const host = '127.0.0.1'

const createEntrance = async (avoid: Set<number>): Promise<Entrance & { readonly port: number }> => {
  const port = await choosePort({ avoid })
  const line = await createKafkaLine({ host, port })
  avoid.add(port).add(line.port)
  return { address: `${host}:${line.port}`, line, port }
}

export const createOwnBroker = async (): Promise<OwnBroker> => {
  const folder = await temporaryFolder()
  const avoid = new Set<number>()
  const [main, aside] = [await createEntrance(avoid), await createEntrance(avoid)]
  const { address, line, port } = main
  const programs = await prepareNativePrograms({
    home: resolve('.driftline'),
    wanted: ['kafka'],
    env: process.env,
    onProgress: () => undefined,
  })
  const command = await prepareServer('kafka', { programs, folder: folder.path, port, env: process.env, avoid })
  // Clients are told the other end of their line, so that nothing gets around it; the broker itself talks past it.
  const internal = await choosePort({ avoid })
  const properties = join(folder.path, 'server.properties')
  const text = await readFile(properties, 'utf8')
  const changed = text
    .replace(/^listeners=/m, `listeners=INTERNAL://${host}:${internal},ASIDE://${host}:${aside.port},`)
    .replace(
      /^advertised\.listeners=.*$/m,
      `advertised.listeners=PLAINTEXT://${address},ASIDE://${aside.address},INTERNAL://${host}:${internal}`,
    )
  const settings = [
    'inter.broker.listener.name=INTERNAL',
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,ASIDE:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
    `transaction.abort.timed.out.transaction.cleanup.interval.ms=${CLEANUP_INTERVAL_MS}`,
  ]
  await writeFile(properties, `${changed}${settings.join('\n')}\n`)
  const broker = createOwnProcess()

  const start = async (): Promise<void> => {
    broker.start(command)
    await eventually(
      async () => {
        if (!(await isHealthy('kafka', address))) throw new Error('the broker does not answer')
      },
      { timeoutMs: 60_000, everyMs: 100 },
    )
  }

  return {
    address,
    line,
    aside,
    kill: broker.kill,
    start,
    close: async () => {
      await broker.close()
      await Promise.all([line.close(), aside.line.close()])
      await folder.remove()
    },
  }
}
