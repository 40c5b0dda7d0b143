import { readFileSync, writeFileSync } from 'node:fs'
import { soak } from './soak.ts'
import { readSoakOptions } from './soak-options.ts'
import { reportOf, withReport } from './soak-report.ts'

const tell = (line: string): void => {
  process.stderr.write(`soak: ${line}\n`)
}

const main = async (): Promise<number> => {
  const options = readSoakOptions(process.argv.slice(2))
  // Said now and not after the soak: a document without a place for the report.
  if (options.report !== null) withReport(readFileSync(options.report, 'utf8'), options.client, '')
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      // Whoever asks twice does not want to wait for the count; the servers end with this process.
      if (stop.signal.aborted) process.exit(130)
      tell(`${name}: no more faults; what was sent is counted (once more to end at once)`)
      stop.abort()
    })
  }
  const result = await soak({ ...options, signal: stop.signal, tell })
  const report = reportOf(result)
  process.stdout.write(`${report}\n`)
  if (options.report !== null) {
    writeFileSync(options.report, withReport(readFileSync(options.report, 'utf8'), options.client, report))
    tell(`wrote ${options.report}`)
  }
  return result.violations.length === 0 ? 0 : 1
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    tell(error instanceof Error ? (error.stack ?? error.message) : String(error))
    process.exit(1)
  },
)
