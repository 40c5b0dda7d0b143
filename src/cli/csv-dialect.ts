/** More than a header takes. */
const LOOKED_AT_BYTES = 64 * 1024

const otherSeparators = [
  [';', 'semicolons'],
  ['\t', 'tabs'],
  ['|', 'vertical bars'],
] as const

/**
 * Tells tables that are written otherwise than CSV is read here: with another separator than the comma, or with lines
 * that end with a carriage return alone. They would be read as one column, or as a header without rows.
 * @param start the first bytes of the file, or all of them
 * @returns what is wrong and what to do, or null
 */
export const otherDialect = (start: Uint8Array): string | null => {
  const looked = start.subarray(0, LOOKED_AT_BYTES)
  // Each byte is a character: what is looked for is ASCII.
  const text = Buffer.from(looked.buffer, looked.byteOffset, looked.length).toString('latin1')
  const unquoted = text.replaceAll(/"[^"]*"/g, '')
  if (!unquoted.includes('\n') && /\r[^\r]/.test(unquoted)) {
    return 'its lines end with carriage returns alone; save it with line feeds'
  }
  const header = /[^\r\n]+/.exec(unquoted)?.[0] ?? ''
  const found = header.includes(',') ? undefined : otherSeparators.find(([separator]) => header.includes(separator))
  return found === undefined ? null : `its fields are separated by ${found[1]}; save it with commas between them`
}
