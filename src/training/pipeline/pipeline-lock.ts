import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import type { ValidationReport } from '../../features/validate/validation-report.ts'

/** What a step read, by name, as SHA-256 in hex. */
export type StepInputs = Readonly<Record<string, string>>

/** The last run of each step that ended well. */
export type PipelineLock = {
  readonly format: 1
  readonly validate?: { readonly inputs: StepInputs; readonly report: ValidationReport }
  /** `model` is the SHA-256 of the manifest, which names the binary by its own. */
  readonly train?: { readonly inputs: StepInputs; readonly model: string }
  readonly register?: { readonly inputs: StepInputs; readonly version: string }
}

const Inputs = Type.Record(Type.String(), Type.String())

const LockSchema = Type.Object({
  format: Type.Literal(1),
  validate: Type.Optional(
    Type.Object({
      inputs: Inputs,
      report: Type.Object({ rows: Type.Integer(), features: Type.Integer(), issues: Type.Array(Type.Object({})) }),
    }),
  ),
  train: Type.Optional(Type.Object({ inputs: Inputs, model: Type.String() })),
  register: Type.Optional(Type.Object({ inputs: Inputs, version: Type.String() })),
})

export type LockFile = {
  /** An empty lock where there is no file, or none that can be read: then every step runs. */
  readonly read: () => Promise<PipelineLock>
  readonly write: (lock: PipelineLock) => Promise<void>
}

const EMPTY: PipelineLock = { format: 1 }

/** The lock of a task's pipeline, a JSON file that is replaced as a whole: a crash leaves the old one or the new one. */
export const createLockFile = (path: string): LockFile => ({
  read: async () => {
    const text = await readFile(path, 'utf8').catch(() => null)
    if (text === null) return EMPTY
    try {
      const value: unknown = JSON.parse(text)
      return Value.Check(LockSchema, value) ? (value as unknown as PipelineLock) : EMPTY
    } catch {
      return EMPTY
    }
  },
  write: async (lock) => {
    await mkdir(dirname(path), { recursive: true })
    const temporary = `${path}.${process.pid}.tmp`
    const file = await open(temporary, 'w')
    try {
      await file.writeFile(`${JSON.stringify(lock, null, 2)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  },
})

/** Whether two steps read the same. */
export const sameInputs = (a: StepInputs | undefined, b: StepInputs): boolean =>
  a !== undefined &&
  Object.keys(a).length === Object.keys(b).length &&
  Object.entries(b).every(([name, digest]) => a[name] === digest)
