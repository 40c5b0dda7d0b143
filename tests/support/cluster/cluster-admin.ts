import {
  alterPartitionReassignmentsV0,
  Connection,
  findCoordinatorV4,
  listTransactionsV0,
  metadataV12,
  offsetFetchV8,
  Writer,
} from '@platformatic/kafka'

/** Where a partition lives. */
export type PartitionPlace = {
  readonly partition: number
  readonly leader: number
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
}

type MetadataResponse = Awaited<ReturnType<typeof metadataV12.api.async>>

const REQUEST_TIMEOUT_MS = 5000

/** Asks one broker and hangs up: nothing is kept that a fault could have broken. */
const withConnection = async <T>(address: string, ask: (connection: Connection) => Promise<T>): Promise<T> => {
  const [host = '', port = ''] = address.split(':')
  const connection = new Connection('test-cluster', {
    connectTimeout: REQUEST_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
  })
  // A broker may die while it is asked: the request fails, and the event says nothing more.
  connection.on('error', () => undefined)
  try {
    await connection.connect(host, Number(port))
    return await ask(connection)
  } finally {
    await connection.close().catch(() => undefined)
  }
}

export const readMetadata = (address: string, topics: string[]): Promise<MetadataResponse> =>
  withConnection(address, (connection) => metadataV12.api.async(connection, topics, false, false))

export const placesOf = async (address: string, topic: string): Promise<PartitionPlace[]> => {
  const { topics } = await readMetadata(address, [topic])
  return (topics[0]?.partitions ?? [])
    .map(({ partitionIndex, leaderId, replicaNodes, isrNodes }) => ({
      partition: partitionIndex,
      leader: leaderId,
      replicas: replicaNodes,
      inSync: isrNodes,
    }))
    .toSorted((a, b) => a.partition - b.partition)
}

/** Changes the order of a partition's replicas: the first one is the leader that is preferred. */
export const reorderReplicas = (address: string, topic: string, partition: number, replicas: readonly number[]) =>
  withConnection(address, (connection) =>
    alterPartitionReassignmentsV0.api.async(connection, REQUEST_TIMEOUT_MS, true, [
      { name: topic, partitions: [{ partitionIndex: partition, replicas: [...replicas] }] },
    ]),
  )

const ELECT_LEADERS = 43
const PREFERRED = 0
/** The preferred one leads already. */
const ELECTION_NOT_NEEDED = 84

/** Makes the preferred replica lead (ElectLeaders 1). @throws where it cannot, for instance because it is not in sync */
export const electPreferredLeader = (address: string, topic: string, partition: number): Promise<void> =>
  withConnection(
    address,
    (connection) =>
      new Promise<void>((resolve, reject) => {
        connection.send(
          ELECT_LEADERS,
          1,
          () =>
            Writer.create()
              .appendInt8(PREFERRED)
              .appendArray(
                [topic],
                (writer, name) =>
                  writer
                    .appendString(name, false)
                    .appendArray([partition], (inner, index) => inner.appendInt32(index), false, false),
                false,
                false,
              )
              .appendInt32(REQUEST_TIMEOUT_MS),
          (_correlation, _key, _version, reader) => {
            reader.readInt32() // throttle time
            const codes = [reader.readInt16()]
            const topics = reader.readInt32()
            for (let t = 0; t < topics; t++) {
              reader.readString(false)
              const partitions = reader.readInt32()
              for (let p = 0; p < partitions; p++) {
                reader.readInt32()
                codes.push(reader.readInt16())
                reader.readNullableString(false)
              }
            }
            return codes.find((code) => code !== 0 && code !== ELECTION_NOT_NEEDED) ?? 0
          },
          false,
          false,
          (error, code) => {
            if (error !== null) reject(error)
            else if (code !== 0) reject(new Error(`no leader was elected for ${topic}-${partition}: error ${code}`))
            else resolve()
          },
        )
      }),
  )

/** The transactions that are not over, of which this broker is the coordinator. */
export const openTransactions = async (address: string): Promise<string[]> => {
  const { transactionStates } = await withConnection(address, (connection) =>
    listTransactionsV0.api.async(connection, ['Ongoing', 'PrepareCommit', 'PrepareAbort'], [], -1n, null),
  )
  return transactionStates.map(({ transactionalId, transactionState }) => `${transactionalId} (${transactionState})`)
}

/** A group's committed offsets of one topic by partition, asked of the group's coordinator. */
export const committedOffsets = async (
  address: string,
  group: string,
  topic: string,
  partitions: number,
): Promise<Map<number, bigint>> => {
  const partitionIndexes = Array.from({ length: partitions }, (_, partition) => partition)
  const { groups } = await withConnection(address, (connection) =>
    offsetFetchV8.api.async(
      connection,
      [{ groupId: group, memberEpoch: -1, topics: [{ name: topic, partitionIndexes }] }],
      false,
    ),
  )
  const found = groups.flatMap(({ topics }) => topics.flatMap((each) => each.partitions))
  return new Map(found.map(({ partitionIndex, committedOffset }) => [partitionIndex, committedOffset]))
}

const COORDINATOR_KINDS = { group: 0, transaction: 1 } as const

/** The broker that coordinates a group or a transactional id, as clients are told. @throws while there is none */
export const findCoordinator = async (
  address: string,
  what: keyof typeof COORDINATOR_KINDS,
  id: string,
): Promise<number> => {
  const { coordinators } = await withConnection(address, (connection) =>
    findCoordinatorV4.api.async(connection, COORDINATOR_KINDS[what], [id]),
  )
  const [found] = coordinators
  if (found === undefined || found.errorCode !== 0) throw new Error(`${id} has no coordinator now`)
  return found.nodeId
}

/** Java's String.hashCode, by which brokers spread groups and transactional ids over their internal topics. */
const javaHash = (text: string): number => {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0
  return hash
}

/** The partition of `__consumer_offsets` or `__transaction_state` whose leader coordinates this group or id. */
export const coordinatorPartition = (id: string, partitions: number): number => Math.abs(javaHash(id)) % partitions
