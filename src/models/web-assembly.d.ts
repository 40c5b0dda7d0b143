// Node has WebAssembly, but its types come with those of the browser, which we leave out. The parts that models use.
declare namespace WebAssembly {
  type ValueKind = 'function' | 'table' | 'memory' | 'global'
  type Exports = Readonly<Record<string, unknown>>
  type ModuleImports = Record<string, unknown>

  class Module {
    constructor(bytes: Uint8Array | ArrayBuffer)
    static imports(module: Module): { module: string; name: string; kind: ValueKind }[]
  }

  class Instance {
    constructor(module: Module, imports?: Readonly<Record<string, ModuleImports>>)
    readonly exports: Exports
  }

  class Memory {
    constructor(limits: { initial: number; maximum?: number })
    /** Another one after each growth; in pages of 65,536 bytes. */
    readonly buffer: ArrayBuffer
    grow(pages: number): number
  }

  class Table {
    constructor(limits: { initial: number; maximum?: number; element: 'anyfunc' })
  }
}
