// biome-ignore lint/style/noRestrictedImports: reads the engine's code, as an import would that TypeScript has no syntax for yet.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { FitFailed } from '../model-errors.ts'

/*
 * libsvm-js 0.2.1 is LIBSVM 3.22, compiled by an Emscripten of 2018. Its own loader is passed by: it is asynchronous,
 * makes every unhandled rejection end the process, and keeps one memory that only grows. What follows is what the
 * compiled code expects of its surroundings; tests hold it against the package's own loader.
 */
const PAGE_BYTES = 65_536
const FIRST_PAGES = 256
const MOST_PAGES = 32_767
const TABLE_SIZE = 104
// The code's own data ends here; then come the word that says where the heap ends, the stack, and the heap.
const HEAP_TOP_AT = 1024 + 9024 + 16
const STACK_BASE = HEAP_TOP_AT + 16
const STACK_BYTES = 5 * 2 ** 20

const STANDARD_ERROR = 2

type Call = (...values: number[]) => unknown

let compiled: WebAssembly.Module | undefined

const compiledModule = (): WebAssembly.Module => {
  compiled ??= new WebAssembly.Module(
    readFileSync(createRequire(import.meta.url).resolve('libsvm-js/out/wasm/libsvm.wasm')),
  )
  return compiled
}

/** Functions that the compiled code calls. Those that no training reaches fail loudly. */
const surroundings = (memory: WebAssembly.Memory, exported: () => WebAssembly.Exports): WebAssembly.ModuleImports => {
  const env: WebAssembly.ModuleImports = {}
  for (const { module, name, kind } of WebAssembly.Module.imports(compiledModule())) {
    if (module !== 'env' || kind !== 'function') continue
    // A call that C++ could catch an exception of: they only tell of exhausted memory, which ends the training anyway.
    env[name] = name.startsWith('invoke_')
      ? (...values: number[]): unknown => (exported()[name.replace('invoke', 'dynCall')] as Call)(...values)
      : () => {
          throw new FitFailed(`LIBSVM stopped in ${name}: it ran out of memory or met values that it cannot train on`)
        }
  }
  return {
    ...env,
    memory,
    table: new WebAssembly.Table({ initial: TABLE_SIZE, maximum: TABLE_SIZE, element: 'anyfunc' }),
    tableBase: 0,
    DYNAMICTOP_PTR: HEAP_TOP_AT,
    STACKTOP: STACK_BASE,
    getTotalMemory: () => memory.buffer.byteLength,
    enlargeMemory: () => {
      const wanted = Math.ceil(new Uint32Array(memory.buffer)[HEAP_TOP_AT / 4]! / PAGE_BYTES)
      const pages = memory.buffer.byteLength / PAGE_BYTES
      if (wanted > MOST_PAGES) return 0
      try {
        // Doubled, so that many small requests do not copy it again and again.
        memory.grow(Math.max(wanted, Math.min(2 * pages, MOST_PAGES)) - pages)
      } catch {
        return 0
      }
      return 1
    },
    abortOnCannotGrowMemory: () => {
      throw new FitFailed('LIBSVM needs more than 2 GiB for these rows; train on fewer, or use another family')
    },
    _emscripten_memcpy_big: (to: number, from: number, bytes: number) => {
      new Uint8Array(memory.buffer).copyWithin(to, from, from + bytes)
      return to
    },
    ___lock: () => {},
    ___unlock: () => {},
    ___syscall146: (_call: number, values: number) => {
      const file = new Int32Array(memory.buffer)[values / 4]!
      if (file !== STANDARD_ERROR) throw new FitFailed(`LIBSVM wrote to file ${file}, which nothing asked it to`)
      // The only thing that a training writes to its standard error is that it reached its greatest number of steps.
      throw new FitFailed('LIBSVM did not converge on these rows; set a smaller C or another kernel')
    },
  }
}

/** LIBSVM, ready to be called, and its memory. */
export type LibsvmModule = { readonly memory: WebAssembly.Memory; readonly exports: WebAssembly.Exports }

/** Starts LIBSVM in a memory of its own. Its code is compiled once per thread, in a few milliseconds. */
export const startLibsvm = (): LibsvmModule => {
  const memory = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: MOST_PAGES })
  new Int32Array(memory.buffer)[HEAP_TOP_AT / 4] = STACK_BASE + STACK_BYTES
  const instance: WebAssembly.Instance = new WebAssembly.Instance(compiledModule(), {
    env: surroundings(memory, () => instance.exports),
    global: { NaN: Number.NaN, Infinity: Number.POSITIVE_INFINITY },
  })
  return { memory, exports: instance.exports }
}
