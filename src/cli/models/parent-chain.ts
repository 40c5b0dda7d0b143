import type { VersionSummary } from '../../registry/registry-types.ts'

/** A version and why it was trained. */
export type Ancestor = {
  readonly version: string
  /** Null for a version that is gone or damaged: the chain ends there. */
  readonly reason: string | null
  readonly trained_at: number | null
  readonly trained_by: string | null
  /** SHA-256 of the rows that it was trained on. */
  readonly data: string | null
}

/** The versions that came before one, from its parent up to the first. */
export const parentChain = (versions: readonly VersionSummary[], version: string): Ancestor[] => {
  const byVersion = new Map(versions.map((summary) => [summary.version, summary]))
  const chain: Ancestor[] = []
  const seen = new Set([version])
  let parent = byVersion.get(version)?.manifest.parent ?? null
  // A manifest is data: it could name a descendant as its parent.
  while (parent !== null && !seen.has(parent)) {
    seen.add(parent)
    const found = byVersion.get(parent)
    chain.push({
      version: parent,
      reason: found?.manifest.reason ?? null,
      trained_at: found?.run.trained_at ?? null,
      trained_by: found?.run.trained_by ?? null,
      data: found?.run.lineage?.data ?? found?.manifest.data.digest ?? null,
    })
    parent = found?.manifest.parent ?? null
  }
  return chain
}
