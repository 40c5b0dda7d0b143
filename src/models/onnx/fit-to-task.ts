import type { CombinedLeaves } from './combine-leaves.ts'
import { OnnxRefused } from './onnx-refused.ts'

/** What of a task a forest from elsewhere has to fit. */
export type TaskColumns = {
  /** In the order of the task. */
  readonly features: readonly { readonly name: string; readonly isCategory: boolean }[]
  /** The task's features in the order of the file's columns, where it is another. */
  readonly columnOrder?: readonly string[]
}

/**
 * The feature of the task that each column of the file is: by name where the file, or the one who imports, tells names;
 * else by place.
 * @throws OnnxRefused if a column is no feature, or two are the same
 */
export const placeColumns = (
  columns: number,
  namesOfFile: readonly string[] | null,
  { features, columnOrder }: TaskColumns,
  warnings: string[],
): number[] => {
  const names = columnOrder ?? namesOfFile
  const known = features.map(({ name }) => name)
  if (names === null) {
    if (columns !== features.length) {
      throw new OnnxRefused(
        `the forest reads ${columns} columns, and the task has ${features.length} features; train it on the task's features, ` +
          'or say which feature each column is',
      )
    }
    warnings.push(`the file names no columns; they are taken as [${known.join(', ')}], in this order`)
    return known.map((_, place) => place)
  }
  if (names.length !== columns) {
    throw new OnnxRefused(`the forest reads ${columns} columns, and ${names.length} names are given; give one for each`)
  }
  const places = names.map((name) => known.indexOf(name))
  const stranger = names.find((_, column) => places[column] === -1)
  if (stranger !== undefined) {
    throw new OnnxRefused(
      `the forest reads '${stranger}', which is no feature of the task; its features are [${known.join(', ')}]`,
    )
  }
  if (new Set(places).size !== places.length) throw new OnnxRefused('two columns of the forest are the same feature')
  return places
}

/**
 * The task's class that each class of the file is, by name. Whole numbers from 0 on stand for places, as label encoders
 * write them.
 * @throws OnnxRefused if the classes are others
 */
const placeClasses = (file: readonly string[], task: readonly string[], warnings: string[]): number[] => {
  if (file.length === task.length) {
    const places = file.map((name) => task.indexOf(name))
    if (!places.includes(-1)) return places
    if (file.every((name, place) => name === String(place))) {
      warnings.push(`the file's classes ${file.join(', ')} are taken as [${task.join(', ')}], in this order`)
      return file.map((_, place) => place)
    }
  }
  throw new OnnxRefused(
    `the forest tells the classes [${file.join(', ')}], and the task [${task.join(', ')}]; train it on the task's classes`,
  )
}

/** The same leaves with their outputs in the order of the task's classes. @throws OnnxRefused */
export const orderClasses = (
  combined: CombinedLeaves,
  file: readonly string[],
  task: readonly string[],
  warnings: string[],
): CombinedLeaves => {
  const places = placeClasses(file, task, warnings)
  const { outputs, leaves, combine } = combined
  const ordered = new Float64Array(leaves.length)
  for (let at = 0; at < leaves.length; at++) ordered[at - (at % outputs) + places[at % outputs]!] = leaves[at]!
  if (combine.rule === 'mean') return { outputs, leaves: ordered, combine }
  const base = task.map((_, c) => combine.base[places.indexOf(c)]!)
  return { outputs, leaves: ordered, combine: { ...combine, base } }
}
