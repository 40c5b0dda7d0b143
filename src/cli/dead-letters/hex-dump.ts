const PER_LINE = 16

const isPrintable = (byte: number): boolean => byte >= 0x20 && byte < 0x7f

/** Bytes as lines of offset, hexadecimal and ASCII, as far as `maxBytes`. */
export const hexDump = (bytes: Uint8Array, maxBytes: number): string[] => {
  const lines: string[] = []
  const shown = Math.min(bytes.byteLength, maxBytes)
  for (let at = 0; at < shown; at += PER_LINE) {
    const row = bytes.subarray(at, Math.min(at + PER_LINE, shown))
    const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const text = Array.from(row, (byte) => (isPrintable(byte) ? String.fromCharCode(byte) : '.')).join('')
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(PER_LINE * 3 - 1)}  ${text}`)
  }
  if (bytes.byteLength > shown) lines.push(`... and ${bytes.byteLength - shown} bytes more (--bytes)`)
  return lines
}

/** Bytes as text where they are readable UTF-8, else in hexadecimal; cut to `maxCharacters`. */
export const readableBytes = (bytes: Uint8Array, maxCharacters: number): string => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const text = buffer.toString('utf8')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what would move a terminal's cursor is told by its code.
  const readable = !text.includes('\ufffd') && !/[\u0000-\u001f\u007f-\u009f]/.test(text)
  const shown = readable ? text : `0x${buffer.subarray(0, maxCharacters).toString('hex')}`
  return shown.length > maxCharacters ? `${shown.slice(0, maxCharacters)}...` : shown
}
