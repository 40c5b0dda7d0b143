/**
 * One way to train a model, as the task's configuration names it. The same shape as the configuration's candidates,
 * stated here because models know nothing of configuration files.
 */
export type Candidate = { readonly name: string; readonly calibration: CalibrationMethod } & CandidateEngine

/** How the probabilities of a classifier are corrected on held-out folds. */
export type CalibrationMethod = 'none' | 'platt' | 'isotonic'

/** A family, the engine that trains it and the parameters of that engine. */
export type CandidateEngine =
  | { readonly family: 'forest'; readonly engine: 'histogram'; readonly parameters: HistogramForestParameters }
  | { readonly family: 'forest'; readonly engine: 'ml-random-forest'; readonly parameters: MlForestParameters }
  | { readonly family: 'svm'; readonly engine: 'libsvm'; readonly parameters: LibsvmParameters }
  | { readonly family: 'svm'; readonly engine: 'ml-svm'; readonly parameters: MlSvmParameters }
  | { readonly family: 'logistic'; readonly engine: 'lbfgs'; readonly parameters: LogisticParameters }
  | {
      readonly family: 'logistic'
      readonly engine: 'ml-logistic-regression'
      readonly parameters: MlLogisticParameters
    }
  | { readonly family: 'ridge'; readonly engine: 'cholesky'; readonly parameters: RidgeParameters }

export type HistogramForestParameters = {
  readonly trees: number
  /** Splits on the longest way from root to leaf. */
  readonly maxDepth: number
  /** A node with fewer rows becomes a leaf. */
  readonly minSamplesSplit: number
  /** No split leaves fewer rows than this on a side. */
  readonly minSamplesLeaf: number
  /**
   * Features that each split looks at: a share in (0, 1], or a rule of their number. `auto` is `sqrt` for classes and
   * `all` for a regression.
   */
  readonly maxFeatures: number | 'auto' | 'sqrt' | 'log2' | 'all'
  /** What a split lessens; `auto` is `gini` for classes and `squared_error` for a regression. */
  readonly criterion: 'auto' | 'gini' | 'entropy' | 'squared_error'
  /** Whether each tree sees rows drawn with replacement, or all of them. */
  readonly bootstrap: boolean
  /** `balanced` weighs rows by `rows / (classes * rows of their class)`. */
  readonly classWeight: 'none' | 'balanced'
  /** Most bins that a feature's values are sorted into, 2 to 256, one of them for missing values where there are any. */
  readonly maxBins: number
}

export type MlForestParameters = {
  readonly trees: number
  /** Splits on the longest way from root to leaf. */
  readonly maxDepth: number
  /** A node with fewer rows becomes a leaf. */
  readonly minSamplesSplit: number
  /** Share of the features that each tree sees, in (0, 1]. */
  readonly maxFeatures: number
}

export type LibsvmParameters = {
  readonly kernel: 'rbf' | 'linear'
  /** Price of a row that is on the wrong side of its margin. */
  readonly C: number
  /** `exp(-gamma d^2)` over standardised features; `scale` is 1 / (columns * variance of all values), as in scikit-learn. */
  readonly gamma: number | 'scale'
  /** Half the width of the tube in which a regression's errors cost nothing, in standard deviations of the target. */
  readonly epsilon: number
}

export type MlSvmParameters = {
  readonly kernel: 'rbf' | 'linear'
  /** Price of the squared distance of a row that is on the wrong side of its margin. */
  readonly C: number
  /** Width of the Gaussian kernel over standardised features: `exp(-d^2 / (2 sigma^2))`. */
  readonly sigma: number
}

export type LogisticParameters = {
  /** Inverse strength of the L2 penalty: `1/2 |w|^2 + C * sum of log-losses`; the intercepts are free. */
  readonly C: number
  /** Greatest part of the gradient of the mean loss at which the fit has converged. */
  readonly tolerance: number
  readonly maxIterations: number
}

export type MlLogisticParameters = {
  /** Steps of gradient descent. */
  readonly steps: number
  /** Size of a step, as a multiple of the one that is certain to converge; below 2. */
  readonly learningRate: number
}

export type RidgeParameters = {
  /** Strength of the L2 penalty: `|y - Xw|^2 + alpha |w|^2` over standardised features; the intercept is free. */
  readonly alpha: number
}

export type ModelFamily = Candidate['family']
export type ModelEngine = Candidate['engine']

/** What a model tells: one of several classes, or a number. */
export type ModelKind = 'classification' | 'regression'
