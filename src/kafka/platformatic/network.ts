import { type Cluster, createCluster } from './cluster.ts'
import { type ConnectionPool, createConnectionPool } from './connections.ts'
import type { ConnectionSecurity } from './security.ts'

/** All connections of one consumer, producer or admin. They end together. */
export type Network = {
  readonly cluster: Cluster
  /**
   * Connections of their own for one purpose.
   * @param requestTimeoutMs a request that has no answer after this time breaks its connection
   */
  readonly pool: (purpose: string, options?: { readonly requestTimeoutMs?: number }) => ConnectionPool
  /** Ends at once: requests under way fail. */
  readonly close: () => void
}

/** @param role what the connections are for, as brokers show it */
export type OpenNetwork = (role: string) => Network

export type NetworkOptions = {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly security: ConnectionSecurity
}

const REQUEST_TIMEOUT_MS = 10_000
/** Any broker answers these at once; another one may, where this one does not. */
const METADATA_TIMEOUT_MS = 5000

export const createOpenNetwork =
  ({ brokers, clientId, security }: NetworkOptions): OpenNetwork =>
  (role) => {
    const pools: ConnectionPool[] = []
    const pool: Network['pool'] = (purpose, { requestTimeoutMs = REQUEST_TIMEOUT_MS } = {}) => {
      const made = createConnectionPool({ clientId: `${clientId}-${role}-${purpose}`, security, requestTimeoutMs })
      pools.push(made)
      return made
    }
    return {
      cluster: createCluster({ brokers, pool: pool('metadata', { requestTimeoutMs: METADATA_TIMEOUT_MS }) }),
      pool,
      close: () => {
        for (const made of pools) made.close()
      },
    }
  }
