// Only a terminal has a spinner, and only then is it worth loading.
const ora = process.stderr.isTTY ? (await import('ora')).default : null

/** Tells a person what goes on, on standard error: lines that stay, and one that changes. */
export type Progress = {
  /** A step that is done, or a fact: stays on the screen. */
  readonly note: (text: string) => void
  /** What goes on now: replaces the last such text. Where there is no terminal, a line every few seconds. */
  readonly update: (text: string) => void
  readonly stop: () => void
}

const lineEveryMs = 5000

/** @param now a monotonic clock in ms */
export const createProgress = (now: () => number = performance.now.bind(performance)): Progress => {
  // A terminal that does not tell its width makes the spinner clear lines without end.
  if (ora !== null && process.stderr.columns > 0) {
    const spinner = ora({ stream: process.stderr, discardStdin: false })
    return {
      note: (text) => {
        spinner.stopAndPersist({ symbol: '•', text })
      },
      update: (text) => {
        if (spinner.isSpinning) spinner.text = text
        else spinner.start(text)
      },
      stop: () => {
        spinner.stop()
      },
    }
  }
  let lastLineAt = Number.NEGATIVE_INFINITY
  return {
    note: (text) => console.error(`• ${text}`),
    update: (text) => {
      if (now() - lastLineAt < lineEveryMs) return
      lastLineAt = now()
      console.error(`  ${text}`)
    },
    stop: () => undefined,
  }
}
