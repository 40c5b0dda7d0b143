import { DatasetInvalid } from '../../features/dataset.ts'
import { createRecordFields, fieldText, isEmptyLine, readRecord } from './record-fields.ts'

/** More columns than a table of features has. */
const MAX_COLUMNS = 65_536

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const

/** The names of the columns, and where the first record begins. */
export type CsvHeader = { readonly names: readonly string[]; readonly end: number; readonly lines: number }

/**
 * Reads the header from the first block of a file: its first line that is not empty.
 * @param block whole records, with a line feed at the end
 * @param label what errors call the file
 * @returns null where the block holds empty lines only
 * @throws DatasetInvalid
 */
export const readHeader = (block: Uint8Array, label: string): CsvHeader | null => {
  if ((block[0] === 0xff && block[1] === 0xfe) || (block[0] === 0xfe && block[1] === 0xff)) {
    throw new DatasetInvalid(`${label} is UTF-16; save it as UTF-8`)
  }
  const fields = createRecordFields(MAX_COLUMNS)
  let at = BYTE_ORDER_MARK.every((byte, index) => block[index] === byte) ? BYTE_ORDER_MARK.length : 0
  let lines = 0
  while (at < block.length) {
    at = readRecord(block, at, block.length, fields)
    lines += fields.lines
    if (fields.fault !== null) throw new DatasetInvalid(`${label}, line ${lines}: ${fields.fault}`)
    if (isEmptyLine(fields)) continue
    if (fields.count > MAX_COLUMNS) {
      throw new DatasetInvalid(`${label} has ${fields.count} columns; at most ${MAX_COLUMNS} are read`)
    }
    return {
      names: Array.from({ length: fields.count }, (_, column) => fieldText(block, fields, column)),
      end: at,
      lines,
    }
  }
  return null
}

/** The place of a column. @throws DatasetInvalid unless the header has it, once */
export const columnOf = (names: readonly string[], name: string, label: string): number => {
  const column = names.indexOf(name)
  if (column < 0) {
    const shown = names.length > 40 ? `${names.slice(0, 40).join(', ')}, ... (${names.length})` : names.join(', ')
    throw new DatasetInvalid(`${label} has no column '${name}'; its header is: ${shown}`)
  }
  if (names.includes(name, column + 1)) throw new DatasetInvalid(`${label} has more than one column '${name}'`)
  return column
}
