import type { ValidationReport } from '../features/validate/validation-report.ts'
import type { ModelFamily, ModelKind } from './candidate.ts'
import type { ProbabilityScores } from './metrics/probability-scores.ts'

/** Counts and rates of one class on one set of rows. */
export type ClassMetrics = { class: string; precision: number; recall: number; f1: number; support: number }

/** How a classifier did on one set of rows. */
export type ClassificationEvaluation = {
  kind: 'classification'
  rows: number
  accuracy: number
  macro_f1: number
  /** Mean of -ln of the probability of the true class, floored at 1e-15. */
  log_loss: number
  /** Mean over rows of the sum over classes of (probability - truth)^2, from 0 to 2. */
  brier_score: number
  /** Expected calibration error of the predicted class: 10 equal bins of its probability. */
  calibration_error: number
  /** `confusion[actual][predicted]`, counts, in class order. */
  confusion: number[][]
  per_class: ClassMetrics[]
}

/** How a regression did on one set of rows. */
export type RegressionEvaluation = {
  kind: 'regression'
  rows: number
  /** Share of the targets' variance that is explained; 0 where they do not vary. It may be below 0. */
  r2: number
  /** Root of the mean squared error, in the target's unit. */
  rmse: number
  /** Mean absolute error, in the target's unit. */
  mae: number
}

export type Evaluation = ClassificationEvaluation | RegressionEvaluation

/** What candidates are compared by: accuracy of classes, R2 of numbers. Greater is better. */
export type CrossValidation = {
  metric: 'accuracy' | 'r2'
  /** Mean over all held-out folds. */
  mean: number
  /** Population standard deviation over the folds. */
  sd: number
  /** Standard error of the mean: `sd / sqrt(folds)` of the folds of one repetition, averaged over the repetitions. */
  se: number
  folds: number
  repeats: number
}

export type StandardiserParameters = { mean: number[]; scale: number[] }

/** One array of the binary: where it stands and what it holds. Offsets are multiples of 8 bytes. */
export type ArraySection = {
  name: string
  type: 'float64' | 'int32' | 'uint8'
  offset: number
  length: number
}

/** What the candidates of one training did; one of them became the model. */
export type CandidateReport = {
  name: string
  family: string
  engine: string
  parameters: Record<string, number | string | boolean>
  calibration: string
} & (
  | {
      status: 'trained'
      cv: CrossValidation
      /** Left out of a trial that another one of its search outdid: it was not fitted to all rows. */
      test?: Evaluation
    }
  /** It could not be trained on these rows; the others went on without it. */
  | { status: 'skipped'; reason: string }
)

/** How a forest did on the training rows that its trees did not draw. */
export type OutOfBag = {
  metric: 'accuracy' | 'r2'
  score: number
  /** Rows that some tree did not draw; the others do not count. */
  rows: number
}

/** What a model loses of a metric on held-out rows in which one feature's values are mixed. */
export type PermutationImportance = {
  method: 'permutation'
  metric: 'accuracy' | 'r2'
  rows: number
  repeats: number
  /** In the model's order. Mean and population standard deviation over the repetitions. */
  features: { feature: string; mean: number; sd: number }[]
}

/**
 * Rows to score after a load: the outputs must come out the same before the model may serve. A null stands for a
 * missing value.
 */
export type GoldenRows = { features: (number | null)[][]; outputs: number[][]; tolerance: number }

/**
 * What a trained model is, as data. The same data, parameters and seed give the same manifest, byte for byte,
 * so nothing in it depends on the time or on the machine; `RunRecord` holds that.
 */
export type ModelManifest = {
  format: 2
  task: string
  name: string
  kind: ModelKind
  family: ModelFamily
  engine: string
  parameters: Record<string, number | string | boolean>
  features: string[]
  /** The categories of each feature, none for a number. */
  categories: string[][]
  /** Empty for a regression. */
  classes: string[]
  /** Of the encoded columns, for families that read them; null for those that read raw features. */
  standardiser: StandardiserParameters | null
  /** How probabilities are corrected after the family has scored; null where they are not. The curves are sections. */
  calibration: {
    method: 'platt' | 'isotonic'
    /** Scores of the held-out folds without the curves, and with curves that were fitted to the other folds. */
    before: ProbabilityScores
    after: ProbabilityScores
  } | null
  seed: number
  /** What the model was trained on. */
  data: {
    /** SHA-256 of the training rows, in hex. */
    digest: string
    base_rows: number
    recent_rows: number
    train_rows: number
    test_rows: number
  }
  /** The rows that drift tests compare with: where they come from and how many; the values are in the binary. */
  reference: { source: 'training' | 'recent'; rows: number }
  /** By which rule the winner was chosen: the best score, or the smallest model within a standard error of it. */
  selection?: 'best' | 'one_standard_error'
  metrics: {
    /** Of the winner. As the best of several it is a little flattered. */
    cv: CrossValidation
    /** Of the whole choice, made anew within each outer fold and scored on the rows that the fold held out. */
    nested?: CrossValidation
    /** Of a histogram forest whose trees drew their rows, unless there were too many rows to ask. */
    out_of_bag?: OutOfBag
    train: Evaluation
    test: Evaluation
  }
  /** Left out where it would have taken too long, and of imported models. */
  importance?: PermutationImportance
  candidates: CandidateReport[]
  golden: GoldenRows
  /** The version in production when the training began, or null for a first model. */
  parent: string | null
  /** Why it was trained: `initial`, `drift`, `manual`, ... */
  reason: string
  binary: { sha256: string; bytes: number; sections: ArraySection[] }
}

/** What a model was made of, each as SHA-256 in hex: the same three give the same model. */
export type Lineage = { data: string; parameters: string; code: string }

/** What one training run took: the part that differs from run to run. */
export type RunRecord = {
  trained_at: number
  trained_by: string
  seconds: number
  fit_seconds: Record<string, number>
  artefact_bytes: Record<string, number>
  node: string
  driftline: string
  /** Of a training by the pipeline. */
  lineage?: Lineage
  /** What was found in the rows before the training. */
  validation?: ValidationReport
  /** Where a model that was trained elsewhere comes from. */
  imported_from?: string
}

/** A model as it is stored and moved. */
export type ModelArtefact = { manifest: ModelManifest; binary: Uint8Array }
