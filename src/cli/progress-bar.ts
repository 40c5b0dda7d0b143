const BAR_CHARACTERS = 24

// By hand: the first number that Intl formats costs more time than scoring ten thousand rows.
const grouped = (count: number): string => String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',')

/**
 * How far a file is, as one line: a bar where its size is known, the rows and their rate.
 * @param fraction from 0 to 1, or null
 */
export const progressBar = (fraction: number | null, rows: number, seconds: number): string => {
  const rate = seconds > 0 ? `, ${grouped(rows / seconds)} rows/s` : ''
  const counts = `${grouped(rows)} rows${rate}`
  if (fraction === null) return counts
  const done = Math.min(1, Math.max(0, fraction))
  const filled = Math.round(done * BAR_CHARACTERS)
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_CHARACTERS - filled)
  return `${bar} ${String(Math.floor(done * 100)).padStart(3)} %  ${counts}`
}
