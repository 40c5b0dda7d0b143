import { writeFile } from 'node:fs/promises'
import { ConfigInvalid } from '../../errors.ts'
import { exportJavaScript } from '../../models/javascript/export-javascript.ts'
import type { ModelArtefact } from '../../models/manifest.ts'
import { exportOnnx } from '../../models/onnx/export-onnx.ts'

export type ExportFormat = 'onnx' | 'js'

const endings: Record<ExportFormat, string> = { onnx: 'onnx', js: 'mjs' }

/** The name of a file for a model where none is given. */
export const exportName = ({ manifest }: ModelArtefact, format: ExportFormat, version: string | null): string =>
  `${manifest.task}${version === null ? '' : `-${version}`}.${endings[format]}`

/**
 * Writes a model as ONNX or as a JavaScript module of its own.
 * @param version what the file says of its origin; null for a model from a folder
 * @returns its size in bytes
 * @throws ExportRefused, ArtefactCorrupt, ConfigInvalid where the file cannot be written
 */
export const exportModel = async (
  { manifest, binary }: ModelArtefact,
  options: { format: ExportFormat; out: string; version: string | null },
): Promise<number> => {
  const { format, out } = options
  const version = options.version ?? undefined
  const bytes =
    format === 'onnx'
      ? exportOnnx(manifest, binary, version)
      : new TextEncoder().encode(exportJavaScript(manifest, binary, version))
  await writeFile(out, bytes).catch((cause: unknown) => {
    throw new ConfigInvalid(`cannot write ${out}: name a file in a folder that is there`, { cause })
  })
  return bytes.length
}
