import type { KafkaConfig, SASLOptions } from 'kafkajs'
import type { KafkaSasl, KafkaSecurity } from '../../config/kafka-security.ts'
import { createTokenSource } from '../oauth-token.ts'

export type KafkajsSecurity = Pick<KafkaConfig, 'ssl' | 'sasl'>

const saslOptions = (sasl: KafkaSasl): SASLOptions => {
  if (sasl.mechanism !== 'oauthbearer') return { ...sasl }
  const token = createTokenSource(sasl)
  return { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: await token() }) }
}

/** TLS and SASL as kafkajs takes them. Made once for all connections of a client: they share what token there is. */
export const kafkajsSecurity = (security: KafkaSecurity | undefined): KafkajsSecurity => ({
  // Copied: kafkajs' and Node's options are not read-only.
  ...(security === undefined || security.tls === null ? {} : { ssl: { ...security.tls } }),
  ...(security === undefined || security.sasl === null ? {} : { sasl: saslOptions(security.sasl) }),
})
