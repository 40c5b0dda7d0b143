import { hash } from 'node:crypto'

const sortKeys = (_key: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value

/** SHA-256, in hex, of a value as JSON with sorted keys: equal values have equal digests, however they were put together. */
export const digestOf = (value: unknown): string => hash('sha256', JSON.stringify(value, sortKeys) ?? 'null')
