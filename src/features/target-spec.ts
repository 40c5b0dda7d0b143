/** What is to be predicted. */
export type TargetSpec = ClassTarget | NumberTarget

/** One of several classes. */
export type ClassTarget = {
  readonly name: string
  readonly type: 'classification'
  /** In the order of the probabilities. */
  readonly classes: readonly string[]
}

/** A number. */
export type NumberTarget = {
  readonly name: string
  readonly type: 'regression'
  /** For people. */
  readonly unit?: string
}

/** The classes of a target, none for a number. */
export const classesOf = (target: TargetSpec): readonly string[] =>
  target.type === 'classification' ? target.classes : []
