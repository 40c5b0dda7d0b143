import type { ClassDataset, Dataset, NumberDataset } from '../../features/dataset.ts'
import { createRandom } from '../../features/random.ts'
import { bestClass } from '../best-class.ts'
import { scoreNumbers } from '../metrics/number-scores.ts'
import { fairCoinTail } from './binomial-tail.ts'
import { signedRankTest } from './signed-rank.ts'

/** Two models on the same rows, row by row. */
export type PairedComparison = {
  readonly test: 'mcnemar' | 'wilcoxon'
  readonly metric: 'accuracy' | 'r2'
  readonly rows: number
  /** The challenger's metric less the champion's. */
  readonly difference: number
  /** Gives the 95 % confidence interval of the difference. Of numbers it is drawn only now, a second for 10,000 rows. */
  readonly interval: () => readonly [number, number]
  /** Chance of a difference at least as great, either way, between models that are equally good. */
  readonly pTwoSided: number
  /** Chance that a challenger that is no better looks at least this much better. */
  readonly pGreater: number
}

/** Of a standard normal variable, two-sided 95 %. */
const Z95 = 1.959963984540054

const RESAMPLES = 2000

type McNemar = Omit<PairedComparison, 'test' | 'metric' | 'rows' | 'interval'> & { readonly interval: [number, number] }

/**
 * McNemar's exact test (1947): of the rows that one model gets right and the other wrong, each model has half if they
 * are equally good. The interval of the difference of accuracies is that of Agresti and Min (2005): Wald's, after half
 * a row was added to each of the four cells.
 * @param won rows that the challenger alone has right
 * @param lost rows that the champion alone has right
 */
export const mcnemarTest = (won: number, lost: number, rows: number): McNemar => {
  const apart = won + lost
  const n = rows + 2
  const centre = (won - lost) / n
  const halfWidth = (Z95 * Math.sqrt(Math.max(0, apart + 1 - (won - lost) ** 2 / n))) / n
  return {
    difference: (won - lost) / rows,
    interval: [Math.max(-1, centre - halfWidth), Math.min(1, centre + halfWidth)],
    pTwoSided: Math.min(1, 2 * fairCoinTail(Math.max(won, lost), apart)),
    pGreater: fairCoinTail(won, apart),
  }
}

const compareClasses = (champion: Float64Array, challenger: Float64Array, dataset: ClassDataset): PairedComparison => {
  const classes = dataset.classNames.length
  let won = 0
  let lost = 0
  dataset.labels.forEach((label, row) => {
    const before = bestClass(champion, row * classes, classes) === label
    const after = bestClass(challenger, row * classes, classes) === label
    if (after && !before) won++
    if (before && !after) lost++
  })
  const { rows } = dataset
  const { interval, ...found } = mcnemarTest(won, lost, rows)
  return { test: 'mcnemar', metric: 'accuracy', rows, ...found, interval: () => interval }
}

/** The 2.5 % and 97.5 % quantiles of the difference of R2 over rows drawn anew (Efron's percentile interval, 1979). */
const bootstrapInterval = (
  champion: Float64Array,
  challenger: Float64Array,
  targets: Float64Array,
  seed: number,
): [number, number] => {
  const random = createRandom(seed, 'paired bootstrap')
  const rows = targets.length
  const differences = Float64Array.from({ length: RESAMPLES }, () => {
    let sum = 0
    let squares = 0
    let before = 0
    let after = 0
    for (let i = 0; i < rows; i++) {
      const row = random.below(rows)
      const target = targets[row]!
      // Centred by the first target: the variance of great numbers would drown otherwise.
      const centred = target - targets[0]!
      sum += centred
      squares += centred * centred
      before += (target - champion[row]!) ** 2
      after += (target - challenger[row]!) ** 2
    }
    const variation = squares - (sum * sum) / rows
    return variation > 0 ? (before - after) / variation : 0
  }).sort()
  const quantile = (share: number): number => differences[Math.round(share * (RESAMPLES - 1))]!
  return [quantile(0.025), quantile(0.975)]
}

const compareNumbers = (
  champion: Float64Array,
  challenger: Float64Array,
  { rows, targets }: NumberDataset,
  seed: number,
): PairedComparison => {
  const gains = Float64Array.from(
    targets,
    (target, row) => Math.abs(target - champion[row]!) - Math.abs(target - challenger[row]!),
  )
  const { pTwoSided, pGreater } = signedRankTest(gains)
  const difference = scoreNumbers(challenger, targets).r2 - scoreNumbers(champion, targets).r2
  const interval = (): [number, number] => bootstrapInterval(champion, challenger, targets, seed)
  return { test: 'wilcoxon', metric: 'r2', rows, difference, interval, pTwoSided, pGreater }
}

/**
 * Whether a challenger is better than a champion by more than chance, from the outputs of both on the same rows.
 * Classes: McNemar's exact test on the rows that only one of them has right. Numbers: Wilcoxon's signed-rank test on
 * the differences of the absolute errors, and a bootstrap interval of the difference of R2.
 * @param champion row-major outputs: a probability per class, or the predicted value
 * @param challenger likewise, of the same rows
 * @param dataset the rows, which neither was trained on; at least one
 * @param seed 32-bit whole number, of the bootstrap
 */
export const comparePaired = (
  champion: Float64Array,
  challenger: Float64Array,
  dataset: Dataset,
  seed = 0,
): PairedComparison =>
  dataset.kind === 'classification'
    ? compareClasses(champion, challenger, dataset)
    : compareNumbers(champion, challenger, dataset, seed)
