import { InvalidArgumentError } from 'commander'

const mostWorkers = 256

/** The value of `--workers`. @throws InvalidArgumentError */
export const workerCount = (text: string): number => {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= mostWorkers) return count
  throw new InvalidArgumentError(`it has to be a whole number from 1 to ${mostWorkers}`)
}
