import { createReadStream, rmSync } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { ConfigInvalid } from '../errors.ts'
import { DatasetInvalid } from '../features/dataset.ts'
import { otherDialect } from './csv-dialect.ts'

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

/** Passes chunks on when the first has been looked at. @throws DatasetInvalid */
const inOurDialect = async function* (chunks: AsyncIterable<Uint8Array>, label: string): AsyncGenerator<Uint8Array> {
  let isFirst = true
  for await (const chunk of chunks) {
    const fault = isFirst ? otherDialect(chunk) : null
    if (fault !== null) throw new DatasetInvalid(`${label} cannot be read: ${fault}`)
    isFirst = false
    yield chunk
  }
}

/**
 * Opens a file, or the standard input for `-`. Reading the chunks throws DatasetInvalid where fields are not separated by
 * commas.
 * @throws ConfigInvalid where there is no such file
 */
export const openInput = async (path: string): Promise<CsvInput> => {
  if (path === STANDARD_STREAM) {
    const label = 'the standard input'
    return { chunks: inOurDialect(process.stdin, label), bytes: null, label }
  }
  const found = await stat(path).catch((cause: unknown) => {
    throw new ConfigInvalid(`cannot read ${path}: name a CSV file, or - for the standard input`, { cause })
  })
  if (found.isDirectory()) throw new ConfigInvalid(`${path} is a folder; name a CSV file`)
  const bytes = found.isFile() ? found.size : null
  const chunks = inOurDialect(createReadStream(path, { highWaterMark: CHUNK_BYTES }), path)
  return { chunks, bytes, label: path }
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

/** Removes a file if somebody ends this process. @returns what takes that back */
const removeWhenEnded = (path: string): (() => void) => {
  const end = (signal: NodeJS.Signals): void => {
    rmSync(path, { force: true })
    // As it would have ended without us. Leaving in order would wait for a pipe that is being read.
    process.kill(process.pid, signal)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.once(signal, end)
  return () => {
    for (const signal of signals) process.off(signal, end)
  }
}

/**
 * Opens a file to write, or the standard output for `-`. A file has its name only when it is finished, so that no one
 * takes half of it for the whole. Devices and pipes are written to as they are.
 * @throws ConfigInvalid where the file cannot be written
 */
export const openOutput = async (path: string): Promise<CsvOutput> => {
  if (path === STANDARD_STREAM) return standardOutput()
  const found = await stat(path).catch(() => null)
  if (found?.isDirectory()) throw new ConfigInvalid(`${path} is a folder; name a file`)
  // A file of its name would take the place of a device.
  const isFile = found === null || found.isFile()
  const temporary = isFile ? `${path}.${process.pid}.partial` : path
  const file = await open(temporary, 'w').catch((cause: unknown) => {
    throw new ConfigInvalid(`cannot write ${path}: name a file in a folder that is there`, { cause })
  })
  const stopWatching = isFile ? removeWhenEnded(temporary) : () => undefined
  return {
    write: async (bytes) => {
      let written = 0
      while (written < bytes.length) written += (await file.write(bytes, written)).bytesWritten
    },
    commit: async () => {
      await file.close()
      if (isFile) await rename(temporary, path)
      stopWatching()
    },
    discard: async () => {
      await file.close().catch(() => undefined)
      if (isFile) await rm(temporary, { force: true })
      stopWatching()
    },
  }
}
