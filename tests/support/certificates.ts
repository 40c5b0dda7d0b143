import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** A certificate with its key, in PEM. */
export type Certificate = { readonly cert: string; readonly key: string }

/** Certificates of one authority that nobody knows but the test. */
export type TestAuthority = {
  readonly ca: string
  /** For `name`, on this machine: the names `localhost` and what `dnsNames` adds, and the loopback address. */
  readonly issue: (name: string, options?: { readonly dnsNames?: readonly string[] }) => Certificate
}

const DAY_MS = 86_400_000

// Just enough of DER (X.690) and X.509 (RFC 5280) for a certificate.
const tlv = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts)
  const { length } = body
  // The shortest form, or Java computes the signature over other bytes than these.
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), body])
}
const sequence = (...parts: readonly Buffer[]): Buffer => tlv(0x30, ...parts)
const oid = (...bytes: readonly number[]): Buffer => tlv(0x06, Buffer.from(bytes))
const utcTime = (ms: number): Buffer =>
  tlv(0x17, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`))

const ECDSA_WITH_SHA256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02))
const nameOf = (commonName: string): Buffer =>
  sequence(tlv(0x31, sequence(oid(0x55, 0x04, 0x03), tlv(0x0c, Buffer.from(commonName)))))

const extension = (id: Buffer, critical: boolean, value: Buffer): Buffer =>
  sequence(id, ...(critical ? [tlv(0x01, Buffer.from([0xff]))] : []), tlv(0x04, value))
const isAuthority = extension(oid(0x55, 0x1d, 0x13), true, sequence(tlv(0x01, Buffer.from([0xff]))))
const alternativeNames = (dnsNames: readonly string[]): Buffer =>
  extension(
    oid(0x55, 0x1d, 0x11),
    false,
    sequence(...dnsNames.map((name) => tlv(0x82, Buffer.from(name))), tlv(0x87, Buffer.from([127, 0, 0, 1]))),
  )

const pem = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${der.toString('base64').replace(/(.{64})(?=.)/g, '$1\n')}\n-----END ${label}-----\n`

const certify = (options: {
  readonly subject: string
  readonly issuer: string
  readonly subjectKey: KeyObject
  readonly issuerKey: KeyObject
  readonly extension: Buffer
}): string => {
  const serial = randomBytes(12)
  // Positive, and without a leading zero.
  serial[0] = 0x40 | (serial[0]! & 0x3f)
  const now = Date.now()
  const toBeSigned = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, serial),
    ECDSA_WITH_SHA256,
    nameOf(options.issuer),
    sequence(utcTime(now - DAY_MS), utcTime(now + DAY_MS)),
    nameOf(options.subject),
    createPublicKey(options.subjectKey).export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(options.extension)),
  )
  const signature = sign('sha256', toBeSigned, options.issuerKey)
  return pem('CERTIFICATE', sequence(toBeSigned, ECDSA_WITH_SHA256, tlv(0x03, Buffer.from([0]), signature)))
}

const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

/** Makes a certificate authority, without any program but this one. */
export const createTestAuthority = (name = 'driftline test authority'): TestAuthority => {
  const issuerKey = newKey()
  return {
    ca: certify({ subject: name, issuer: name, subjectKey: issuerKey, issuerKey, extension: isAuthority }),
    issue: (subject, { dnsNames = [] } = {}) => {
      const subjectKey = newKey()
      return {
        cert: certify({
          ...{ subject, issuer: name, subjectKey, issuerKey },
          extension: alternativeNames(['localhost', ...dnsNames]),
        }),
        key: subjectKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      }
    },
  }
}
