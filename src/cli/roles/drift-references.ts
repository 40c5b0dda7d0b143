import { createDriftReference, type DriftReference } from '../../drift/reference.ts'
import { referenceOf } from '../../models/reference.ts'
import type { ArtefactStore } from '../../registry/registry-types.ts'

/** The drift references of model versions, each read and prepared once. */
export const createDriftReferences = (store: ArtefactStore) => {
  const known = new Map<string, DriftReference>()
  return {
    /** Reads what is not known yet. @throws VersionNotFound, ArtefactCorrupt, and what the store throws */
    load: async (modelVersion: string): Promise<void> => {
      if (known.has(modelVersion)) return
      const artefact = await store.readVersion(modelVersion)
      const { columns, featureNames } = referenceOf(artefact)
      const { categories } = artefact.manifest
      // Only the version in production is compared with; of an older one nothing is asked any more.
      known.clear()
      known.set(modelVersion, createDriftReference({ modelVersion, featureNames, columns, categories }))
    },
    get: (modelVersion: string): DriftReference | null => known.get(modelVersion) ?? null,
  }
}
