const host = '127.0.0.1'

/** The ports of one node: what clients are told, where it listens for them, for other brokers and for controllers. */
export type NodePorts = {
  readonly id: number
  readonly advertised: number
  readonly clients: number
  readonly brokers: number
  readonly controller: number
}

/**
 * One of several brokers that are controllers too (KRaft). Every topic has a replica on three of them and a write has
 * to reach two. Failures are noticed within a few seconds, so that tests need not wait long.
 */
export const clusterProperties = (node: NodePorts, all: readonly NodePorts[]): string => {
  const replicas = Math.min(3, all.length)
  const inSync = Math.max(1, replicas - 1)
  return `${[
    'process.roles=broker,controller',
    `node.id=${node.id}`,
    `controller.quorum.voters=${all.map(({ id, controller }) => `${id}@${host}:${controller}`).join(',')}`,
    `listeners=INTERNAL://${host}:${node.brokers},PLAINTEXT://${host}:${node.clients},CONTROLLER://${host}:${node.controller}`,
    // Clients are told the other end of their line, so that nothing gets around it; brokers talk past it.
    `advertised.listeners=INTERNAL://${host}:${node.brokers},PLAINTEXT://${host}:${node.advertised}`,
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name=INTERNAL',
    'controller.listener.names=CONTROLLER',
    'log.dirs=log',
    'auto.create.topics.enable=false',
    `default.replication.factor=${replicas}`,
    `min.insync.replicas=${inSync}`,
    `offsets.topic.replication.factor=${replicas}`,
    `transaction.state.log.replication.factor=${replicas}`,
    `transaction.state.log.min.isr=${inSync}`,
    `share.coordinator.state.topic.replication.factor=${replicas}`,
    `share.coordinator.state.topic.min.isr=${inSync}`,
    'offsets.topic.num.partitions=8',
    'transaction.state.log.num.partitions=8',
    'group.initial.rebalance.delay.ms=0',
    'group.min.session.timeout.ms=1000',
    // A broker that says nothing for so long is taken for dead, and others lead its partitions.
    'broker.heartbeat.interval.ms=500',
    'broker.session.timeout.ms=4000',
    'replica.lag.time.max.ms=5000',
    // What a dead producer left open is aborted soon after its time.
    'transaction.abort.timed.out.transaction.cleanup.interval.ms=1000',
    'num.network.threads=2',
    'num.io.threads=4',
  ].join('\n')}\n`
}
