import { bestClass } from '../../models/best-class.ts'
import { type CsvWriter, csvField } from '../csv/csv-writer.ts'

/** Memory for the texts of rows that have come before. */
const CACHE_BYTES = 2 * 1024 * 1024
const MAX_NUMBER_BYTES = 25

/**
 * Writes the predicted class of a row and its probabilities.
 * @param row of the scores that it was created for
 * @returns the place of the predicted class
 */
export type ClassWriter = (writer: CsvWriter, row: number) => number

const encoder = new TextEncoder()

const largestPowerBelow = (limit: number): number => 2 ** Math.floor(Math.log2(Math.max(1, limit)))

/**
 * The scores of rows repeat even more than single numbers do: most rows of a forest fall into pure leaves. So the text of
 * a whole row is kept in a table, found by a hash of all its bits, where the last row that came to a place stays.
 * @param scores row-major, `classNames.length` probabilities a row
 */
export const createClassWriter = (classNames: readonly string[], scores: Float64Array): ClassWriter => {
  const classes = classNames.length
  const classTexts = classNames.map((name) => encoder.encode(csvField(name)))
  const longest = Math.max(...classTexts.map(({ length }) => length))
  const rowBytes = longest + classes * MAX_NUMBER_BYTES
  const slots = largestPowerBelow(CACHE_BYTES / rowBytes)
  const words = 2 * classes
  const bits = new Int32Array(scores.buffer, scores.byteOffset, scores.length * 2)
  const keys = new Int32Array(slots * words)
  const texts = new Uint8Array(slots * rowBytes)
  const lengths = new Int32Array(slots)
  const best = new Int32Array(slots)

  const slotOf = (from: number): number => {
    let hash = 0x811c9dc5
    for (let i = 0; i < words; i++) hash = Math.imul(hash ^ bits[from + i]!, 0x9e3779b1)
    return (hash ^ (hash >>> 15)) & (slots - 1)
  }

  const isKnown = (slot: number, from: number): boolean => {
    if (lengths[slot] === 0) return false
    const key = slot * words
    for (let i = 0; i < words; i++) if (keys[key + i] !== bits[from + i]) return false
    return true
  }

  return (writer, row) => {
    const from = row * words
    const slot = slotOf(from)
    if (!isKnown(slot, from)) {
      const at = row * classes
      const predicted = bestClass(scores, at, classes)
      const start = writer.length()
      const text = classTexts[predicted]!
      writer.bytes(text, 0, text.length)
      for (let output = 0; output < classes; output++) {
        writer.comma()
        writer.number(scores[at + output]!)
      }
      keys.set(bits.subarray(from, from + words), slot * words)
      texts.set(writer.since(start), slot * rowBytes)
      lengths[slot] = writer.length() - start
      best[slot] = predicted
      return predicted
    }
    const begin = slot * rowBytes
    writer.bytes(texts, begin, begin + lengths[slot]!)
    return best[slot]!
  }
}
