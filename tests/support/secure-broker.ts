import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { prepareNativePrograms } from '../../dev/stack/native-servers.ts'
import { choosePort } from '../../dev/stack/ports.ts'
import { isHealthy } from '../../dev/stack/probes.ts'
import { runCommand } from '../../dev/stack/run-command.ts'
import {
  kafkaCommand,
  kafkaFormatCommand,
  kafkaProperties,
  kafkaPropertiesFile,
} from '../../dev/stack/server-commands.ts'
import { createTestAuthority, type TestAuthority } from './certificates.ts'
import { eventually } from './eventually.ts'
import { temporaryFolder } from './kafka.ts'

/** The name and password that every mechanism with passwords takes. */
export const credentials = { username: 'alice', password: 'secret+of:alice' } as const

/** A broker that lets nobody in without TLS or SASL, except itself. */
export type SecureBroker = {
  /** host:port by what is asked for there; `mutual` wants a certificate of the client too. */
  readonly addresses: Readonly<Record<'tls' | 'mutual' | 'sasl' | 'saslTls', string>>
  readonly authority: TestAuthority
  readonly close: () => Promise<void>
}

const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const
const START_TIMEOUT_MS = 90_000

const PACKAGE = 'org.apache.kafka.common.security'
const loginModules: Record<(typeof MECHANISMS)[number], string> = {
  PLAIN: `${PACKAGE}.plain.PlainLoginModule required user_${credentials.username}="${credentials.password}";`,
  'SCRAM-SHA-256': `${PACKAGE}.scram.ScramLoginModule required;`,
  'SCRAM-SHA-512': `${PACKAGE}.scram.ScramLoginModule required;`,
  // Its validator takes unsigned tokens, which is what a test can make.
  OAUTHBEARER: `${PACKAGE}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
}

/** @param folder holds `server.pem` and `ca.pem` */
const secureProperties = (
  base: string,
  ports: Record<'internal' | keyof SecureBroker['addresses'], number>,
): string => {
  const listeners = {
    INTERNAL: ['PLAINTEXT', ports.internal],
    TLS: ['SSL', ports.tls],
    MUTUAL: ['SSL', ports.mutual],
    SASL: ['SASL_PLAINTEXT', ports.sasl],
    SASLTLS: ['SASL_SSL', ports.saslTls],
  } as const
  const entries = Object.entries(listeners)
  const addresses = entries.map(([name, [, port]]) => `${name}://127.0.0.1:${port}`).join(',')
  const controller = /^listeners=.*(CONTROLLER:[^,\n]*)/m.exec(base)![1]!
  return [
    base
      .replace(/^listeners=.*$/m, `listeners=${addresses},${controller}`)
      .replace(/^advertised\.listeners=.*$/m, `advertised.listeners=${addresses}`)
      .trimEnd(),
    'inter.broker.listener.name=INTERNAL',
    `listener.security.protocol.map=CONTROLLER:PLAINTEXT,${entries.map(([name, [protocol]]) => `${name}:${protocol}`).join(',')}`,
    'ssl.keystore.type=PEM',
    'ssl.keystore.location=server.pem',
    'ssl.truststore.type=PEM',
    'ssl.truststore.location=ca.pem',
    'listener.name.mutual.ssl.client.auth=required',
    `sasl.enabled.mechanisms=${MECHANISMS.join(',')}`,
    // A refusal is answered late, so that guessing takes long; a test guesses once.
    'connection.failed.authentication.delay.ms=20',
    ...['sasl', 'sasltls'].flatMap((listener) =>
      MECHANISMS.map(
        (mechanism) =>
          `listener.name.${listener}.${mechanism.toLowerCase()}.sasl.jaas.config=${loginModules[mechanism]}`,
      ),
    ),
    '',
  ].join('\n')
}

/** Starts a broker of the test's own, with every kind of listener that a client may have to speak to. */
export const createSecureBroker = async (): Promise<SecureBroker> => {
  const folder = await temporaryFolder()
  const authority = createTestAuthority()
  const server = authority.issue('broker')
  const programs = await prepareNativePrograms({
    home: resolve('.driftline'),
    wanted: ['kafka'],
    env: process.env,
    onProgress: () => undefined,
  })
  const avoid = new Set<number>()
  const port = async (): Promise<number> => {
    const chosen = await choosePort({ avoid })
    avoid.add(chosen)
    return chosen
  }
  const base = kafkaProperties({ broker: await port(), controller: await port() })
  const ports = {
    internal: await port(),
    tls: await port(),
    mutual: await port(),
    sasl: await port(),
    saslTls: await port(),
  }
  await writeFile(join(folder.path, 'server.pem'), server.key + server.cert)
  await writeFile(join(folder.path, 'ca.pem'), authority.ca)
  await writeFile(join(folder.path, kafkaPropertiesFile), secureProperties(base, ports))

  const { java, artefacts } = programs
  const id = Buffer.from(randomUUID().replaceAll('-', ''), 'hex')
  id[0] = id[0]! & 0x7f
  const format = kafkaFormatCommand(java, artefacts.kafka, folder.path, id.toString('base64url'))
  const users = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
    '--add-scram',
    `${mechanism}=[name=${credentials.username},password=${credentials.password}]`,
  ])
  const formatted = await runCommand(format.command, [...format.args, ...users], {
    env: process.env,
    cwd: folder.path,
    timeoutMs: START_TIMEOUT_MS,
  })
  if (formatted?.code !== 0) throw new Error(`the broker's folder could not be formatted: ${formatted?.output}`)

  const command = kafkaCommand(java, artefacts.kafka, folder.path)
  let output = ''
  const child: ChildProcess = spawn(command.command, ['-XX:TieredStopAtLevel=1', ...command.args], {
    cwd: folder.path,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-4000)
  })
  const closed = new Promise((done) => child.once('close', done))
  // Whatever ends this process: the broker must not outlive it.
  const killAtExit = (): void => {
    child.kill('SIGKILL')
  }
  process.once('exit', killAtExit)
  const close = async (): Promise<void> => {
    child.kill('SIGKILL')
    await closed
    process.removeListener('exit', killAtExit)
    await folder.remove()
  }
  try {
    await eventually(
      async () => {
        if (!(await isHealthy('kafka', `127.0.0.1:${ports.internal}`))) {
          throw new Error(`the broker does not answer:\n${output}`)
        }
      },
      { timeoutMs: START_TIMEOUT_MS, everyMs: 100 },
    )
  } catch (error) {
    await close()
    throw error
  }
  const address = (port: number): string => `127.0.0.1:${port}`
  return {
    addresses: {
      tls: address(ports.tls),
      mutual: address(ports.mutual),
      sasl: address(ports.sasl),
      saslTls: address(ports.saslTls),
    },
    authority,
    close,
  }
}
