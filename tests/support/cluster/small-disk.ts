import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const mount = (folder: string, megabytes: number): void => {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'driftline-test', folder], { stdio: 'pipe' })
}

const unmount = (folder: string): void => {
  execFileSync('umount', ['-l', folder], { stdio: 'pipe' })
}

/** Whether this process may mount a file system: root on Linux may, as a rule. */
export const canMount = (): boolean => {
  const folder = mkdtempSync(join(tmpdir(), 'driftline-mount-'))
  try {
    mount(folder, 1)
    unmount(folder)
    return true
  } catch {
    return false
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A small file system of its own in a folder, which can be filled to the last byte. */
export type SmallDisk = {
  /** Not all at once: lines to brokers run in the same process. */
  readonly fill: () => Promise<void>
  /** Takes away what `fill` wrote. */
  readonly makeRoom: () => void
  readonly remove: () => void
}

const BLOCK = Buffer.alloc(1 << 20)

export const createSmallDisk = (folder: string, megabytes: number): SmallDisk => {
  mount(folder, megabytes)
  // Also where this process ends before it has cleared up: nobody else would.
  const atExit = (): void => unmount(folder)
  process.once('exit', atExit)
  const filler = join(folder, 'filler')
  return {
    fill: async () => {
      const file = await open(filler, 'w')
      try {
        // Down to the last byte: half a block is room enough for a few batches.
        for (let block = BLOCK; block.length > 0; ) {
          try {
            await file.write(block)
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
            block = block.subarray(0, block.length >> 1)
          }
        }
      } finally {
        await file.close()
      }
    },
    makeRoom: () => rmSync(filler, { force: true }),
    remove: () => {
      process.removeListener('exit', atExit)
      unmount(folder)
    },
  }
}
