import { type ChildProcess, spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { prepareNativePrograms, prepareServer } from '../../dev/stack/native-servers.ts'
import { choosePort } from '../../dev/stack/ports.ts'
import { isHealthy } from '../../dev/stack/probes.ts'
import { eventually } from './eventually.ts'
import { temporaryFolder } from './kafka.ts'
import { createKafkaLine, type KafkaLine } from './kafka-line.ts'

/** A Kafka broker that a test may kill, behind a line that it may break. */
export type OwnBroker = {
  readonly address: string
  readonly line: KafkaLine
  /** Kills the broker as a power cut would. */
  readonly kill: () => Promise<void>
  /** Starts it again, with the same data. */
  readonly start: () => Promise<void>
  readonly close: () => Promise<void>
}

export const createOwnBroker = async (): Promise<OwnBroker> => {
  const folder = await temporaryFolder()
  const port = await choosePort({ avoid: new Set() })
  const line = await createKafkaLine({ host: '127.0.0.1', port })
  const programs = await prepareNativePrograms({
    home: resolve('.driftline'),
    wanted: ['kafka'],
    env: process.env,
    onProgress: () => undefined,
  })
  const avoid = new Set([port, line.port])
  const command = await prepareServer('kafka', { programs, folder: folder.path, port, env: process.env, avoid })
  // Clients are told the other end of the line, so that nothing gets around it; the broker itself talks past it.
  const internal = await choosePort({ avoid })
  const properties = join(folder.path, 'server.properties')
  const text = await readFile(properties, 'utf8')
  const changed = text
    .replace(/^listeners=/m, `listeners=INTERNAL://127.0.0.1:${internal},`)
    .replace(
      /^advertised\.listeners=.*$/m,
      `advertised.listeners=PLAINTEXT://127.0.0.1:${line.port},INTERNAL://127.0.0.1:${internal}`,
    )
  const map = 'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT'
  await writeFile(properties, `${changed}inter.broker.listener.name=INTERNAL\n${map}\n`)
  const address = `127.0.0.1:${line.port}`
  let child: ChildProcess | undefined

  // Whatever ends this process: the broker must not outlive it.
  const killAtExit = (): void => {
    child?.kill('SIGKILL')
  }
  process.once('exit', killAtExit)

  const kill = async (): Promise<void> => {
    const current = child
    child = undefined
    if (current === undefined || current.exitCode !== null) return
    const closed = new Promise((done) => current.once('close', done))
    current.kill('SIGKILL')
    await closed
  }

  const start = async (): Promise<void> => {
    child = spawn(command.command, [...command.args], { cwd: command.folder, stdio: 'ignore' })
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
    kill,
    start,
    close: async () => {
      await kill()
      process.removeListener('exit', killAtExit)
      await line.close()
      await folder.remove()
    },
  }
}
