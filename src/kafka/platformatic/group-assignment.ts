export type TopicPartitions = { readonly topic: string; readonly partitions: readonly number[] }

export type GroupMemberClaim = {
  readonly id: string
  /** What it reads. */
  readonly topics: readonly string[]
  /** What it had in `generation`. */
  readonly owned: readonly TopicPartitions[]
  /** -1 where it had nothing, or did not say. */
  readonly generation: number
}

const keyOf = (topic: string, partition: number): string => `${partition} ${topic}`

/**
 * Shares partitions out evenly, and leaves them where they are as far as that goes: a partition that stays works on
 * while its neighbours move. Where two claim the same partition the later generation counts; in the same generation
 * neither does. The result depends on its arguments alone.
 * @param partitionCounts how many partitions each topic has
 * @returns by member; everyone has an entry
 */
export const assignPartitions = (
  members: readonly GroupMemberClaim[],
  partitionCounts: ReadonlyMap<string, number>,
): Map<string, TopicPartitions[]> => {
  const byId = members.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const all = [...partitionCounts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([topic, count]) => Array.from({ length: count }, (_, partition) => ({ topic, partition })))
    .filter(({ topic }) => members.some((member) => member.topics.includes(topic)))

  const claims = new Map<string, { owner: string | null; generation: number }>()
  for (const { id, owned, generation, topics } of byId) {
    for (const { topic, partitions } of owned) {
      if (!topics.includes(topic)) continue
      for (const partition of partitions) {
        const key = keyOf(topic, partition)
        const other = claims.get(key)
        if (other === undefined || generation > other.generation) claims.set(key, { owner: id, generation })
        else if (generation === other.generation) claims.set(key, { owner: null, generation })
      }
    }
  }

  const shares = new Map(byId.map(({ id }) => [id, [] as { topic: string; partition: number }[]]))
  const claimed = (id: string) =>
    all.filter(({ topic, partition }) => claims.get(keyOf(topic, partition))?.owner === id)
  const least = Math.floor(all.length / Math.max(1, members.length))
  // Who has most keeps one more, as far as there are more.
  let larger = all.length - least * members.length
  const taken = new Set<string>()
  const byClaims = byId.map(({ id }) => ({ id, mine: claimed(id) })).toSorted((a, b) => b.mine.length - a.mine.length)
  for (const { id, mine } of byClaims) {
    const keeps = mine.length > least && larger > 0 ? least + 1 : least
    if (keeps > least) larger--
    for (const { topic, partition } of mine.slice(0, keeps)) {
      shares.get(id)?.push({ topic, partition })
      taken.add(keyOf(topic, partition))
    }
  }

  for (const { topic, partition } of all) {
    if (taken.has(keyOf(topic, partition))) continue
    let poorest: { topic: string; partition: number }[] | undefined
    for (const { id, topics } of byId) {
      const share = shares.get(id)
      if (share === undefined || !topics.includes(topic)) continue
      if (poorest === undefined || share.length < poorest.length) poorest = share
    }
    poorest?.push({ topic, partition })
  }

  return new Map(
    [...shares].map(([id, share]) => [
      id,
      [...new Set(share.map(({ topic }) => topic))].toSorted().map((topic) => ({
        topic,
        partitions: share
          .filter((one) => one.topic === topic)
          .map(({ partition }) => partition)
          .toSorted((a, b) => a - b),
      })),
    ]),
  )
}
