/** Spellings of a missing number that other programs write; an empty field is missing in any column. */
const SPELLINGS = new Set(['', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL'])

/** Whether a text stands for a missing number. */
export const isMissingNumber = (text: string): boolean => SPELLINGS.has(text)
