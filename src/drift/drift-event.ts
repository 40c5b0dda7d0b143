import { createHash } from 'node:crypto'
import type { DriftEvent } from '../events.ts'
import type { DriftThresholds } from './assess-window.ts'
import type { Alarm } from './detector.ts'

/**
 * The message of an alarm. Its `drift_id` is made of the task, the model version and the event that closed the last
 * window, so the same alarm has the same id when it is raised again after a restart.
 */
export const toDriftEvent = (alarm: Alarm, about: { task: string; thresholds: DriftThresholds }): DriftEvent => ({
  drift_id: createHash('sha256')
    .update(JSON.stringify([about.task, alarm.modelVersion, alarm.lastEventId]))
    .digest('hex')
    .slice(0, 32),
  detected_at: alarm.detectedAt,
  model_version: alarm.modelVersion,
  window_rows: about.thresholds.windowRows,
  consecutive_windows: alarm.consecutiveWindows,
  onset_event_time: alarm.onsetEventTime,
  last_event_time: alarm.lastEventTime,
  last_event_id: alarm.lastEventId,
  alpha: about.thresholds.alpha,
  correction: about.thresholds.correction,
  min_statistic: about.thresholds.minStatistic,
  features: alarm.features.map((feature) => ({
    feature: feature.feature,
    statistic: feature.statistic,
    p_value: feature.pValue,
    adjusted_p_value: feature.adjustedPValue,
    drifted: feature.drifted,
    test: feature.test,
  })),
})
