import { expect, it } from 'vitest'
import { coordinatorPartition } from '../../support/cluster/cluster-admin.ts'

// What Kafka's own Utils.abs("...".hashCode()) % 8 gives: the faults that move a coordinator have to find it.
it.each([
  ['group_7bd78daad1-topic_1e53f035f0-0', 7],
  ['group_71b669bccd-topic_610b6c2d3d-1', 5],
  ['', 0],
])('%s is coordinated at the partition that Kafka chooses', (id, partition) => {
  expect(coordinatorPartition(id, 8)).toBe(partition)
})
