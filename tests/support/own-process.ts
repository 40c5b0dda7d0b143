import { type ChildProcess, spawn } from 'node:child_process'

/** A program that a test may kill and start again; ended with this process, whatever ends that. */
export type OwnProcess = {
  readonly start: (program: { command: string; args: readonly string[]; folder: string }) => void
  /** Kills it as a power cut would, and waits for its end. Does nothing where it has ended. */
  readonly kill: () => Promise<void>
  /** Kills it for the last time. */
  readonly close: () => Promise<void>
}

export const createOwnProcess = (): OwnProcess => {
  let child: ChildProcess | undefined

  const killAtExit = (): void => {
    child?.kill('SIGKILL')
  }
  process.once('exit', killAtExit)

  const kill = async (): Promise<void> => {
    const current = child
    child = undefined
    if (current === undefined || current.exitCode !== null || current.signalCode !== null) return
    const closed = new Promise((done) => current.once('close', done))
    current.kill('SIGKILL')
    await closed
  }

  return {
    kill,
    start: ({ command, args, folder }) => {
      child = spawn(command, [...args], { cwd: folder, stdio: 'ignore' })
    },
    close: async () => {
      await kill()
      process.removeListener('exit', killAtExit)
    },
  }
}
