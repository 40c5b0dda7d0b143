import type { Cluster, CoordinatorKind } from './cluster.ts'
import type { BrokerLink, ConnectionPool } from './connections.ts'
import { isCoordinatorMoved, protocolErrorType } from './protocol-errors.ts'

/** Asks one coordinator, wherever it is. */
export type CoordinatorPort = {
  /** One attempt. A coordinator that moved, or is gone, is looked up anew by the next one. */
  readonly ask: <T>(request: (link: BrokerLink) => Promise<T>) => Promise<T>
}

/** @param key the group or the transactional id */
export const createCoordinatorPort = (
  { cluster, pool }: { readonly cluster: Cluster; readonly pool: ConnectionPool },
  kind: CoordinatorKind,
  key: string,
): CoordinatorPort => ({
  ask: async (request) => {
    try {
      return await request(await pool.link(await cluster.coordinatorOf(kind, key)))
    } catch (error) {
      // A coordinator that is gone has not said so.
      if (protocolErrorType(error) === undefined || isCoordinatorMoved(error)) cluster.forgetCoordinator(kind, key)
      throw error
    }
  },
})
