import type { FeatureInput, TargetInput } from './input-schema.ts'

export type Contradiction = { path: (string | number)[]; message: string }

/** Field names that every event has; a feature cannot take one of them. */
const reservedNames = ['event_id', 'event_time']

export const repeated = (names: readonly string[]): Set<number> =>
  new Set(names.flatMap((name, index) => (names.indexOf(name) < index ? [index] : [])))

/** What of a feature does not go with its type. */
const typeFaults = (feature: FeatureInput): { key: string; message: string }[] => {
  const faults: { key: string; message: string }[] = []
  if (feature.type === 'category') {
    if (feature.categories === undefined) {
      faults.push({ key: 'type', message: 'is category, so the key "categories" has to list its names' })
    }
    for (const key of ['range', 'unit'] as const) {
      if (feature[key] !== undefined) faults.push({ key, message: 'is for numbers, and this feature is a category' })
    }
    return faults
  }
  if (feature.categories !== undefined) {
    faults.push({ key: 'categories', message: 'is for categories, and this feature is a number; say type: category' })
  }
  if (feature.range !== undefined && feature.range[0] >= feature.range[1]) {
    faults.push({ key: 'range', message: 'has to be [least, greatest] with least below greatest' })
  }
  return faults
}

/** Rules across the keys of the features. */
export const featureContradictions = (features: readonly FeatureInput[]): Contradiction[] => {
  const twice = repeated(features.map((feature) => feature.name))
  return features.flatMap((feature, index) => {
    const found: Contradiction[] = []
    const path = ['features', index, 'name']
    if (reservedNames.includes(feature.name)) {
      found.push({ path, message: `is "${feature.name}", which every event has already; choose another name` })
    }
    if (twice.has(index)) {
      found.push({ path, message: `"${feature.name}" stands twice; each feature needs its own name` })
    }
    for (const { key, message } of typeFaults(feature)) found.push({ path: ['features', index, key], message })
    return found
  })
}

/** Rules across the keys of the target. */
export const targetContradictions = (target: TargetInput, featureNames: readonly string[]): Contradiction[] => {
  const found: Contradiction[] = []
  if (featureNames.includes(target.name)) {
    found.push({
      path: ['target', 'name'],
      message: `"${target.name}" is also a feature; the target cannot be its own input`,
    })
  }
  if (target.type === 'classification') {
    if (target.classes === undefined) {
      found.push({
        path: ['target'],
        message: 'has no key "classes": list them, or say type: regression where a number is predicted',
      })
    }
    if (target.unit !== undefined) {
      found.push({ path: ['target', 'unit'], message: 'is for numbers, and this target is a class' })
    }
  } else if (target.classes !== undefined) {
    found.push({ path: ['target', 'classes'], message: 'is for classes, and this target is a number' })
  }
  return found
}
