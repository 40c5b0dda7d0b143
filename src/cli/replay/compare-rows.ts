import type { TargetSpec } from '../../features/target-spec.ts'
import {
  type Agreement,
  type AgreementCount,
  countClassAgreement,
  countNumberAgreement,
} from '../../models/compare/agreement.ts'
import { alignClasses, type ClassAlignment } from '../../models/compare/align-classes.ts'
import { mergeRows, type RowBlocks } from './merge-rows.ts'
import type { ScoredRow } from './read-rows.ts'

/** What came of a comparison of published and replayed predictions. */
export type RowsAgreement = {
  /** Rows that only one side has. */
  readonly only_published: number
  readonly only_replayed: number
  readonly overall: Agreement
  /** In the order of the versions' numbers. */
  readonly by_published_version: readonly { readonly model_version: string; readonly agreement: Agreement }[]
}

export type RowsComparison = {
  /** Compares one partition; several partitions one after another. */
  readonly add: (published: RowBlocks<ScoredRow>, replayed: RowBlocks<ScoredRow>) => Promise<void>
  readonly result: () => RowsAgreement
}

/**
 * Counts how far the replayed predictions agree with the published ones.
 * @param classesOf the class order of a version, or null where the version is gone
 * @param onRow told after each row of either side
 */
export const createRowsComparison = (options: {
  readonly target: TargetSpec
  readonly classesOf: (version: string) => readonly string[] | null
  readonly replayedClasses: readonly string[]
  readonly onRow?: () => void
}): RowsComparison => {
  const { target, classesOf, replayedClasses, onRow } = options
  const newCount = (): AgreementCount =>
    target.type === 'regression' ? countNumberAgreement() : countClassAgreement(target.classes)
  const overall = newCount()
  const byVersion = new Map<string, { count: AgreementCount; aligned: ClassAlignment | null }>()
  let onlyPublished = 0
  let onlyReplayed = 0

  const countOf = (version: string) => {
    const known = byVersion.get(version)
    if (known !== undefined) return known
    const classes = classesOf(version)
    const added = { count: newCount(), aligned: classes === null ? null : alignClasses(classes, replayedClasses) }
    byVersion.set(version, added)
    return added
  }

  return {
    add: (published, replayed) =>
      mergeRows(published, replayed, {
        both: (before, after) => {
          const { count, aligned } = countOf(before.version)
          count.add(before, after, aligned)
          overall.add(before, after, aligned)
          onRow?.()
        },
        onlyLeft: () => {
          onlyPublished += 1
          onRow?.()
        },
        onlyRight: () => {
          onlyReplayed += 1
          onRow?.()
        },
      }),
    result: () => ({
      only_published: onlyPublished,
      only_replayed: onlyReplayed,
      overall: overall.result(),
      by_published_version: [...byVersion]
        .sort(([a], [b]) => Number(a) - Number(b))
        .map(([model_version, { count }]) => ({ model_version, agreement: count.result() })),
    }),
  }
}
