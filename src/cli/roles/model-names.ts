import type { ModelNames } from '../../api/ingress-types.ts'
import type { ArtefactStore } from '../../registry/registry-types.ts'

/** The names of features and classes of stored versions. A version never changes, so each is read once. */
export const createModelNames = (store: Pick<ArtefactStore, 'listVersions'>) => {
  const known = new Map<string, ModelNames | null>()
  return async (modelVersion: string): Promise<ModelNames | null> => {
    if (!known.has(modelVersion)) {
      for (const { version, manifest } of await store.listVersions()) {
        known.set(version, { features: manifest.features, classes: manifest.classes })
      }
      if (!known.has(modelVersion)) known.set(modelVersion, null)
    }
    return known.get(modelVersion) ?? null
  }
}
