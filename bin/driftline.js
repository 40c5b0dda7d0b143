#!/usr/bin/env node
// The sources run on Node 24 as they are. A machine may ship an older Node, so this file stays plain
// JavaScript that any Node understands, and hands over to the Node 24 that the project brings along.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const requiredMajor = 24
const root = join(dirname(fileURLToPath(import.meta.url)), '..')
// Node refuses to strip types below node_modules, so an installed package runs what the build emitted.
const installed = root.includes(`${sep}node_modules${sep}`)
const source = join(root, 'src', 'cli', 'main.ts')
const built = join(root, 'dist', 'src', 'cli', 'main.js')
const entry = !installed && existsSync(source) ? source : built

const bundledNode = () => {
  try {
    const manifest = nodeModule.createRequire(import.meta.url).resolve('node/package.json')
    const binary = join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
    return existsSync(binary) ? binary : undefined
  } catch {
    return undefined
  }
}

if (Number.parseInt(process.versions.node, 10) >= requiredMajor) {
  // Compiled code is kept between runs, where Node can: a command starts in half the time.
  nodeModule.enableCompileCache?.()
  await import(entry)
} else {
  const node = bundledNode()
  if (node === undefined) {
    console.error(
      `driftline needs Node ${requiredMajor} and runs on ${process.versions.node}. ` +
        `Install Node ${requiredMajor}, or run "npm ci" in the checkout, which brings it along.`,
    )
    process.exit(2)
  }
  // Through this file again, so that compiled code is kept there as well.
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  // A terminal sends Ctrl+C to the child as well; passing it on would make two of one.
  process.on('SIGINT', () => undefined)
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}
