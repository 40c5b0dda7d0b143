import { createReadStream } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { ConfigInvalid } from '../errors.ts'

/** Large enough that reading costs little, small enough that several threads have blocks at hand. */
const CHUNK_BYTES = 128 * 1024

/** What `-` stands for on the command line. */
export const STANDARD_STREAM = '-'

export type CsvInput = {
  readonly chunks: AsyncIterable<Uint8Array>
  /** Null where nobody knows. */
  readonly bytes: number | null
  /** What messages call it. */
  readonly label: string
}

/** Opens a file, or the standard input for `-`. @throws ConfigInvalid where there is no such file */
export const openInput = async (path: string): Promise<CsvInput> => {
  if (path === STANDARD_STREAM) return { chunks: process.stdin, bytes: null, label: 'the standard input' }
  const found = await stat(path).catch((cause: unknown) => {
    throw new ConfigInvalid(`cannot read ${path}: name a CSV file, or - for the standard input`, { cause })
  })
  if (found.isDirectory()) throw new ConfigInvalid(`${path} is a folder; name a CSV file`)
  const bytes = found.isFile() ? found.size : null
  return { chunks: createReadStream(path, { highWaterMark: CHUNK_BYTES }), bytes, label: path }
}

export type CsvOutput = {
  /** Resolves when more may be written. */
  readonly write: (bytes: Uint8Array) => Promise<void>
  /** Gives the finished file its name. */
  readonly commit: () => Promise<void>
  /** Leaves no file behind. */
  readonly discard: () => Promise<void>
}

/** Nobody reads the standard output any more: `| head` has seen enough. */
export const isOutputClosed = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EPIPE'

const standardOutput = (): CsvOutput => {
  // The callback of each write tells it too; without a listener Node would end the process.
  process.stdout.on('error', () => undefined)
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        process.stdout.write(bytes, (error) => (error == null ? resolve() : reject(error)))
      }),
    commit: async () => undefined,
    discard: async () => undefined,
  }
}

/**
 * Opens a file to write, or the standard output for `-`. The file has its name only when it is finished, so that no
 * one takes half of it for the whole.
 * @throws ConfigInvalid where the file cannot be written
 */
export const openOutput = async (path: string): Promise<CsvOutput> => {
  if (path === STANDARD_STREAM) return standardOutput()
  const temporary = `${path}.${process.pid}.partial`
  const file = await open(temporary, 'w').catch((cause: unknown) => {
    throw new ConfigInvalid(`cannot write ${path}: name a file in a folder that is there`, { cause })
  })
  return {
    write: async (bytes) => {
      let written = 0
      while (written < bytes.length) written += (await file.write(bytes, written)).bytesWritten
    },
    commit: async () => {
      await file.close()
      await rename(temporary, path)
    },
    discard: async () => {
      await file.close().catch(() => undefined)
      await rm(temporary, { force: true })
    },
  }
}
