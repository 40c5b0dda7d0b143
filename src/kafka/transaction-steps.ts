/** The steps of a transaction, in order. Tests stop, kill or fail a worker at them. */
export type TransactionStep = 'fenced' | 'positioned' | 'begun' | 'sent' | 'offsets-sent' | 'commit-sent' | 'committed'

/** Told of each step, and waited for. What it throws counts as a failure of that step. */
export type StepObserver = (step: TransactionStep, partition: number) => Promise<void> | void

/** Waited for before each heartbeat: a member that is held there is expelled, and does not know. */
export type HeartbeatGate = () => Promise<void> | void
