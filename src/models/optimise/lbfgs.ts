import { createLineSearch } from './line-search.ts'

/** Writes the gradient at `point` and returns the value there. */
export type Objective = (point: Float64Array, gradient: Float64Array) => number

export type Minimisation = {
  /**
   * `converged`: no part of the gradient exceeds the tolerance. `limit`: the iterations ran out. `stalled`: no step
   * lessens the value any more, because the tolerance is below what rounding allows or the gradient is wrong.
   */
  readonly status: 'converged' | 'limit' | 'stalled'
  readonly iterations: number
  /** Greatest part of the gradient. */
  readonly gradient: number
}

// Steps and gradient changes that are remembered; 3 to 20 do, by Nocedal and Wright, section 7.2.
const MEMORY = 10

const dot = (a: Float64Array, b: Float64Array, fromA = 0): number => {
  let sum = 0
  for (let i = 0; i < b.length; i++) sum += a[fromA + i]! * b[i]!
  return sum
}

/** `a += factor * b[fromB ...]` */
const addTo = (a: Float64Array, factor: number, b: Float64Array, fromB = 0): void => {
  for (let i = 0; i < a.length; i++) a[i] = a[i]! + factor * b[fromB + i]!
}

const greatestPart = (gradient: Float64Array): number => {
  let greatest = 0
  for (const part of gradient) greatest = Math.max(greatest, Math.abs(part))
  return greatest
}

/** The last steps and gradient changes, a ring of `MEMORY` each. */
const createHistory = (size: number) => {
  const steps = new Float64Array(MEMORY * size)
  const changes = new Float64Array(MEMORY * size)
  const inverses = new Float64Array(MEMORY)
  const factors = new Float64Array(MEMORY)
  let next = 0
  let kept = 0
  let scale = 1

  return {
    isEmpty: () => kept === 0,
    forget: () => {
      kept = 0
    },
    /** Remembers a step, unless the gradient shows no curvature along it. */
    remember: (before: Float64Array, point: Float64Array, gradientBefore: Float64Array, gradient: Float64Array) => {
      const at = next * size
      let product = 0
      let squares = 0
      for (let i = 0; i < size; i++) {
        const step = point[i]! - before[i]!
        const change = gradient[i]! - gradientBefore[i]!
        steps[at + i] = step
        changes[at + i] = change
        product += step * change
        squares += change * change
      }
      if (!(product > Number.EPSILON * squares)) return
      inverses[next] = 1 / product
      scale = product / squares
      next = (next + 1) % MEMORY
      kept = Math.min(kept + 1, MEMORY)
    },
    /** The two-loop recursion (Nocedal, Wright, Numerical Optimization, algorithm 7.4), in place on `direction`. */
    multiply: (direction: Float64Array) => {
      for (let back = 1; back <= kept; back++) {
        const slot = (next - back + MEMORY) % MEMORY
        const factor = inverses[slot]! * dot(steps, direction, slot * size)
        factors[slot] = factor
        addTo(direction, -factor, changes, slot * size)
      }
      for (let i = 0; i < size; i++) direction[i] = direction[i]! * scale
      for (let back = kept; back >= 1; back--) {
        const slot = (next - back + MEMORY) % MEMORY
        const factor = inverses[slot]! * dot(changes, direction, slot * size)
        addTo(direction, factors[slot]! - factor, steps, slot * size)
      }
    },
  }
}

/**
 * Minimises a smooth function by L-BFGS (Liu, Nocedal, Mathematical Programming 45, 1989) with steps that satisfy the
 * strong Wolfe conditions. Allocates nothing per iteration.
 * @param point where to start; it becomes the minimum that was found
 * @param tolerance greatest part of the gradient at which it has converged
 */
export const minimise = (
  objective: Objective,
  point: Float64Array,
  { tolerance, maxIterations }: { tolerance: number; maxIterations: number },
): Minimisation => {
  const size = point.length
  const gradient = new Float64Array(size)
  const direction = new Float64Array(size)
  const before = new Float64Array(size)
  const gradientBefore = new Float64Array(size)
  const history = createHistory(size)
  const search = createLineSearch(objective, size)
  let value = objective(point, gradient)

  for (let iteration = 0; ; iteration++) {
    const greatest = greatestPart(gradient)
    const outcome = (status: Minimisation['status']): Minimisation => ({
      status,
      iterations: iteration,
      gradient: greatest,
    })
    if (greatest <= tolerance) return outcome('converged')
    if (iteration === maxIterations) return outcome('limit')

    before.set(point)
    gradientBefore.set(gradient)
    for (;;) {
      for (let i = 0; i < size; i++) direction[i] = -gradient[i]!
      if (!history.isEmpty()) history.multiply(direction)
      // Without a history the first step is of length 1 at most: nothing is known of the scale yet.
      const firstStep = history.isEmpty() ? Math.min(1, 1 / Math.sqrt(dot(gradient, gradient))) : 1
      const found = search(point, value, gradient, direction, firstStep)
      if (found !== null) {
        value = found
        break
      }
      if (history.isEmpty()) return outcome('stalled')
      history.forget()
    }
    history.remember(before, point, gradientBefore, gradient)
  }
}
