import { isUtf8 } from 'node:buffer'
import { readFile } from 'node:fs/promises'
import { ConfigInvalid } from '../errors.ts'
import { DatasetInvalid } from '../features/dataset.ts'
import { type CsvTable, parseTable } from './csv/csv-table.ts'
import { otherDialect } from './csv-dialect.ts'

/**
 * Reads a whole CSV file.
 * @throws ConfigInvalid where there is no such file, DatasetInvalid for one that is no CSV with a header and rows
 */
export const readTable = async (path: string): Promise<CsvTable> => {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new ConfigInvalid(`cannot read ${path}: name a CSV file with a header`, { cause })
  })
  const fault = otherDialect(bytes) ?? (isUtf8(bytes) ? null : 'it is not UTF-8; save it as UTF-8')
  if (fault !== null) throw new DatasetInvalid(`${path} cannot be read: ${fault}`)
  return parseTable(bytes, path)
}
