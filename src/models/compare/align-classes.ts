/** Two class orders side by side: for each class that either has, its place in one and in the other, or -1. */
export type ClassAlignment = {
  readonly left: Int32Array
  readonly right: Int32Array
  /** Classes of the left order; probabilities of another number are not of this model. */
  readonly leftClasses: number
  readonly rightClasses: number
}

/**
 * Finds the classes of two models by their names: models of one task may know them in another order, or not all of
 * them.
 */
export const alignClasses = (left: readonly string[], right: readonly string[]): ClassAlignment => {
  const names = [...new Set([...left, ...right])]
  return {
    left: Int32Array.from(names, (name) => left.indexOf(name)),
    right: Int32Array.from(names, (name) => right.indexOf(name)),
    leftClasses: left.length,
    rightClasses: right.length,
  }
}
