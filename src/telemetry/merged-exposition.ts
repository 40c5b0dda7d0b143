/** The metrics of one process of several that do the same work. */
export type LabelledExposition = { readonly worker: string; readonly text: string }

/** HELP and TYPE of a metric, and its series. */
type Family = { readonly comments: string[]; readonly samples: string[] }

const escaped = (value: string): string => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

/** The name of the metric that a comment line (`# HELP name …`, `# TYPE name …`) is about. */
const metricOfComment = (line: string): string | undefined => line.split(' ', 3)[2]

const withLabel = (sample: string, label: string): string => {
  const brace = sample.indexOf('{')
  const space = sample.indexOf(' ')
  // A brace behind the first space belongs to no label set: the value stands there.
  if (brace < 0 || (space >= 0 && space < brace)) return `${sample.slice(0, space)}{${label}}${sample.slice(space)}`
  const rest = sample.slice(brace + 1)
  return `${sample.slice(0, brace)}{${label}${rest.startsWith('}') ? '' : ','}${rest}`
}

/**
 * One text in Prometheus' exposition format out of those of several processes: every series gets the label `worker`,
 * and the series of one metric stand together under one HELP and one TYPE, as the format demands.
 */
export const mergeExpositions = (expositions: readonly LabelledExposition[]): string => {
  const metrics = new Map<string, Family>()
  for (const { worker, text } of expositions) {
    const label = `worker="${escaped(worker)}"`
    let current: Family | undefined
    for (const line of text.split('\n')) {
      if (line.startsWith('#')) {
        const name = metricOfComment(line)
        if (name === undefined) continue
        current = metrics.get(name) ?? { comments: [], samples: [] }
        metrics.set(name, current)
        if (!current.comments.includes(line)) current.comments.push(line)
      } else if (line !== '') {
        current?.samples.push(withLabel(line, label))
      }
    }
  }
  const lines = [...metrics.values()].flatMap(({ comments, samples }) => [...comments, ...samples])
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}
