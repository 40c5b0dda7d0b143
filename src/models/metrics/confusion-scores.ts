import type { ClassMetrics } from '../manifest.ts'

/** What a confusion matrix tells. */
export type ConfusionScores = { rows: number; accuracy: number; macro_f1: number; per_class: ClassMetrics[] }

const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)

/**
 * Precision, recall and F1 of each class from a confusion matrix; a ratio of nothing is 0.
 * The macro F1 is the mean over the classes that occur, as truth or as prediction, so that a class that a sample
 * happens not to hold does not pull it down. Both as in scikit-learn.
 * @param confusion `confusion[actual][predicted]`, counts
 */
export const scoreConfusion = (confusion: number[][], classNames: readonly string[]): ConfusionScores => {
  const perClass = classNames.map((name, c): ClassMetrics & { occurs: boolean } => {
    const hits = confusion[c]![c]!
    const support = confusion[c]!.reduce((sum, count) => sum + count, 0)
    const predicted = confusion.reduce((sum, row) => sum + row[c]!, 0)
    return {
      class: name,
      precision: ratio(hits, predicted),
      recall: ratio(hits, support),
      f1: ratio(2 * hits, support + predicted),
      support,
      occurs: support + predicted > 0,
    }
  })
  const rows = perClass.reduce((sum, { support }) => sum + support, 0)
  const hits = confusion.reduce((sum, row, c) => sum + row[c]!, 0)
  const occurring = perClass.filter(({ occurs }) => occurs)
  return {
    rows,
    accuracy: ratio(hits, rows),
    macro_f1: ratio(
      occurring.reduce((sum, { f1 }) => sum + f1, 0),
      occurring.length,
    ),
    per_class: perClass.map(({ occurs: _, ...metrics }) => metrics),
  }
}
