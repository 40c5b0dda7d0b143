import type { Label, Prediction } from '../src/events.ts'
import { readDecimal } from '../src/features/decimal.ts'
import type { TargetSpec } from '../src/features/target-spec.ts'
import {
  type Incoming,
  predictionIdHeader,
  predictionIdOf,
  requestPredictionIdOf,
  type TopicRef,
} from '../src/topology.ts'
import { topicsOf } from './topics.ts'

/** A decoded prediction with the headers of its record. */
export type IncomingPrediction = Incoming<Prediction> & { readonly headers: Readonly<Record<string, Uint8Array>> }

/** A prediction with the name that makes it one; the history keeps one row per name. */
export type NamedPrediction = Prediction & { readonly prediction_id: string }

/** What becomes of a label record: a row, or a dead letter with its reason. */
export type LabelOutcome =
  | { readonly kind: 'row'; readonly row: Label }
  | {
      readonly kind: 'dead-letter'
      readonly code: 'UNKNOWN_LABEL' | 'BAD_LABEL' | 'BAD_EVENT_ID' | 'BAD_EVENT_TIME'
      readonly message: string
    }

/** The step from the topics of predictions and labels to the history, without a database in it. */
export type Recording = {
  readonly name: string
  readonly predictions: TopicRef<Prediction>
  readonly labels: TopicRef<Label>
  /** One row per source record, in the order of the batch; of several for one source record the last. */
  readonly predictionRows: (batch: readonly IncomingPrediction[]) => readonly NamedPrediction[]
  /** One outcome per record, in the order of the records. */
  readonly labelOutcomes: (batch: readonly Incoming<Label>[]) => readonly LabelOutcome[]
}

const utf8 = new TextDecoder()

/** The header where it is there, else what it would have said: a record written by another producer is recorded too. */
const identityOf = ({ value, headers }: IncomingPrediction, featuresTopic: string): string => {
  const header = headers[predictionIdHeader]
  if (header !== undefined && header.length > 0) return utf8.decode(header)
  const { source_partition, source_offset, event_id } = value
  if (source_partition === null || source_offset === null) return requestPredictionIdOf(event_id)
  return predictionIdOf({ topic: featuresTopic, partition: source_partition, offset: BigInt(source_offset) })
}

type LabelRefusal = Extract<LabelOutcome, { kind: 'dead-letter' }>

const MAX_SHOWN_CHARACTERS = 60

const shown = (text: string): string =>
  JSON.stringify(text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}...` : text)

/** Tells what is wrong with a label, or null: it has to name a class, or to be a finite decimal number. */
const createLabelCheck = (task: string, target: TargetSpec): ((label: Label) => LabelRefusal | null) => {
  if (target.type === 'regression') {
    return ({ label, event_id }) => {
      if (!Number.isNaN(readDecimal(label))) return null
      const message = `label ${shown(label)} of event ${event_id} is no finite decimal number`
      return { kind: 'dead-letter', code: 'BAD_LABEL', message }
    }
  }
  const classes = new Set(target.classes)
  return ({ label, event_id }) => {
    if (classes.has(label)) return null
    const known = target.classes.join(', ')
    const message = `label ${shown(label)} of event ${event_id} is no class of ${task}; known: ${known}`
    return { kind: 'dead-letter', code: 'UNKNOWN_LABEL', message }
  }
}

/** @param target what labels tell */
export const recording = (options: { task: string; target: TargetSpec }): Recording => {
  const topics = topicsOf(options.task)
  const refusalOf = createLabelCheck(options.task, options.target)

  const labelOutcome = ({ value }: Incoming<Label>): LabelOutcome => {
    if (value.event_id === '') {
      return { kind: 'dead-letter', code: 'BAD_EVENT_ID', message: 'event_id is empty; name the event that it labels' }
    }
    const refusal = refusalOf(value)
    if (refusal !== null) return refusal
    if (!Number.isSafeInteger(value.labelled_at)) {
      const message = `labelled_at of event ${value.event_id} is ${value.labelled_at}; give whole milliseconds since 1970`
      return { kind: 'dead-letter', code: 'BAD_EVENT_TIME', message }
    }
    const { event_id, label, labelled_at } = value
    return { kind: 'row', row: { event_id, label, labelled_at } }
  }

  return {
    name: 'recording',
    predictions: topics.predictions,
    labels: topics.labels,
    predictionRows: (batch) => {
      // An aborted transaction may leak a record that its successor wrote again; the last one is the committed one.
      const rows = new Map<string, NamedPrediction>()
      for (const incoming of batch) {
        const prediction_id = identityOf(incoming, topics.features.name)
        rows.delete(prediction_id)
        rows.set(prediction_id, { ...incoming.value, prediction_id })
      }
      return [...rows.values()]
    },
    labelOutcomes: (batch) => batch.map(labelOutcome),
  }
}
