/** One metric as dashboards, alerts and documents may rely on it. */
export type MetricDefinition = {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary'
  /** Names of its own labels; `task` comes on top where `taskLabel` says so. */
  readonly labels: readonly string[]
  /** Whether every series also carries `task`. The metrics of the ingress carry the task in their name instead. */
  readonly taskLabel: boolean
  readonly help: string
  /** Upper bounds of a histogram, in the unit that the name ends with. */
  readonly buckets?: readonly number[]
}

export type Definitions = Readonly<Record<string, Omit<MetricDefinition, 'taskLabel'>>>

/** Upper bounds in seconds, by what is timed. */
export const batchSeconds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
]
export const latencySeconds = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800,
]
export const loadSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
