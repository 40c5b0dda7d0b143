import fc from 'fast-check'
import { expect, it } from 'vitest'
import { minimise, type Objective } from '../../../../src/models/optimise/lbfgs.ts'

const options = { tolerance: 1e-9, maxIterations: 1000 }

it('finds the minimum of Rosenbrock’s valley', () => {
  const valley: Objective = ([x, y], gradient) => {
    const bend = y! - x! * x!
    gradient[0] = -2 * (1 - x!) - 400 * x! * bend
    gradient[1] = 200 * bend
    return (1 - x!) ** 2 + 100 * bend * bend
  }
  const point = Float64Array.of(-1.2, 1)
  const { status, iterations } = minimise(valley, point, options)
  expect(status).toBe('converged')
  expect(iterations).toBeLessThan(60)
  expect(point[0]).toBeCloseTo(1, 8)
  expect(point[1]).toBeCloseTo(1, 8)
})

it('finds the minimum of any convex quadratic function, from anywhere', () => {
  const parts = fc.array(
    fc.record({
      curvature: fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
      minimum: fc.double({ min: -1e3, max: 1e3, noNaN: true }),
      start: fc.double({ min: -1e3, max: 1e3, noNaN: true }),
    }),
    { minLength: 1, maxLength: 12 },
  )
  fc.assert(
    fc.property(parts, (coordinates) => {
      const quadratic: Objective = (point, gradient) => {
        let value = 0
        coordinates.forEach(({ curvature, minimum }, i) => {
          const away = point[i]! - minimum
          gradient[i] = curvature * away
          value += (curvature * away * away) / 2
        })
        return value
      }
      const point = Float64Array.from(coordinates, ({ start }) => start)
      const { status } = minimise(quadratic, point, { tolerance: 1e-7, maxIterations: 2000 })
      expect(status).toBe('converged')
      coordinates.forEach(({ minimum, curvature }, i) => {
        expect(Math.abs(point[i]! - minimum)).toBeLessThan(1e-7 / curvature + 1e-9)
      })
    }),
    { seed: 1, numRuns: 200 },
  )
})

it('goes back from where the function has no value', () => {
  const logarithm: Objective = ([x], gradient) => {
    gradient[0] = 1 - 1 / x!
    return x! - Math.log(x!)
  }
  const point = Float64Array.of(1e-3)
  expect(minimise(logarithm, point, options).status).toBe('converged')
  expect(point[0]).toBeCloseTo(1, 8)
})

it('ends at its limit, and where no step helps', () => {
  const slope: Objective = (_, gradient) => {
    gradient[0] = 1
    return 0
  }
  expect(minimise(slope, Float64Array.of(5), options)).toMatchObject({ status: 'stalled', gradient: 1 })
  const line: Objective = ([x], gradient) => {
    gradient[0] = -1
    return -x!
  }
  const point = Float64Array.of(0)
  expect(minimise(line, point, { tolerance: 1e-9, maxIterations: 5 }).status).not.toBe('converged')
  expect(Number.isFinite(point[0])).toBe(true)
})
