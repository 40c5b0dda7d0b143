// Generated from schemas/ by dev/generate-events.ts; do not edit.

export type FeatureDrift = {
  feature: string
  /** Effect in the last window, 0 to 1: the Kolmogorov-Smirnov D, the total variation distance of the shares of categories, or the difference of the shares of missing values. */
  statistic: number
  p_value: number
  adjusted_p_value: number
  drifted: boolean
  /** ks, chi_square (categories) or missing_rate; a feature may have two. */
  test: string
}

/** An alarm: the features of recent events differ from the reference sample of the model that scored them. */
export type DriftEvent = {
  drift_id: string
  detected_at: number
  /** Whose reference sample the windows were compared with. */
  model_version: string
  /** Rows in each window. */
  window_rows: number
  /** Windows in a row that differed. */
  consecutive_windows: number
  /** When the first window that differed began: the 10th percentile of its event times, so that a few late events do not count. */
  onset_event_time: number
  /** Greatest event time of the last window. */
  last_event_time: number
  /** The event that closed the last window. */
  last_event_id: string
  alpha: number
  correction: string
  /** Floor of the effect. */
  min_statistic: number
  features: FeatureDrift[]
}

/** One event to score. The task's features follow as further fields, one by each feature's name: double, or string for a category, and null beside it where the task allows missing values. */
export type FeatureEvent = {
  /** Chosen by the producer; labels refer to it. */
  event_id: string
  /** When it happened. */
  event_time: number
} & { [feature: string]: number | string | null }

/** What turned out to be true of an event; it may arrive before or after the prediction. */
export type Label = {
  event_id: string
  /** Name of the class, or the number in decimal notation. */
  label: string
  labelled_at: number
}

export type ModelEventType = 'trained' | 'promoted' | 'rejected' | 'rolled_back'

/** What happened to a model, by whom and why. */
export type ModelEvent = {
  type: ModelEventType
  at: number
  version: string
  /** The version that production named before. */
  previous_version: string | null
  /** The epoch of the aliases after the change. */
  epoch: number | null
  /** Who did it: a person, a command or a retraining job. */
  actor: string
  reason: string
  metrics: Record<string, number>
}

export type ModelRole = 'champion' | 'candidate' | 'shadow'

/** The score of one event by one model version. */
export type Prediction = {
  event_id: string
  /** Partition of the scored feature event; null for a synchronous request. */
  source_partition: number | null
  /** Offset of the scored feature event; null for a synchronous request. */
  source_offset: number | null
  event_time: number
  scored_at: number
  /** Name of the most probable class, or the predicted number in decimal notation. */
  prediction: string
  /** Its place in the model's class order; null for a number. */
  class_index: number | null
  /** Its probability; null for a number. */
  confidence: number | null
  /** In the model's class order; empty for a number. */
  probabilities: number[]
  /** The predicted number; null for a class. */
  value: number | null
  model_version: string
  /** In what capacity the model scored it. */
  model_role: ModelRole
  /** In the model's feature order; null where missing, a category by its name. */
  features: (number | string | null)[]
}
