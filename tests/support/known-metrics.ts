import { type MetricDefinition, metricNames } from '../../src/telemetry/metrics.ts'
import { parseQuery } from './promql.ts'

/** Labels that come on top of a series: Prometheus' own, and the one that the common page of several workers adds. */
const added = ['job', 'instance', 'worker']

/** The series of one metric by its exposed name, with all labels that it can have. */
const seriesOf = (metric: MetricDefinition): [string, string[]][] => {
  const labels = [...metric.labels, ...(metric.taskLabel ? ['task'] : []), ...added]
  if (metric.type === 'histogram')
    return [
      [`${metric.name}_bucket`, [...labels, 'le']],
      [`${metric.name}_sum`, labels],
      [`${metric.name}_count`, labels],
    ]
  return [[metric.name, labels]]
}

/**
 * What is wrong with a query, by the list of the metrics that the roles expose: unknown metrics, unknown labels.
 * Empty where nothing is.
 */
export const faultsOfQuery = (task: string, query: string, legend = ''): string[] => {
  const known = new Map(metricNames(task).flatMap(seriesOf))
  known.set('up', added)
  const parts = parseQuery(query)
  const faults: string[] = []
  const available = new Set<string>(parts.written)
  for (const selector of parts.selectors) {
    const names =
      selector.name !== null
        ? [selector.name]
        : [...known.keys()].filter((name) => new RegExp(`^(?:${selector.namePattern})$`).test(name))
    if (names.length === 0) faults.push(`no metric matches ${selector.namePattern}`)
    for (const name of names) {
      const labels = known.get(name)
      if (labels === undefined) {
        faults.push(`no role exposes ${name}`)
        continue
      }
      for (const label of labels) available.add(label)
      for (const label of selector.labels) if (!labels.includes(label)) faults.push(`${name} has no label ${label}`)
    }
  }
  const legendLabels = [...legend.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map((match) => match[1]!)
  for (const label of [...parts.grouping, ...legendLabels]) {
    if (!available.has(label)) faults.push(`no metric of the query has the label ${label}`)
  }
  return faults
}
