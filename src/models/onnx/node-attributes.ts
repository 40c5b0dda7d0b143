import type { OnnxNode } from './onnx-model.ts'
import { OnnxRefused } from './onnx-refused.ts'

/** The attributes of one operator, each checked as it is taken. All throw OnnxRefused. */
export type NodeAttributes = {
  readonly has: (name: string) => boolean
  readonly integer: (name: string, otherwise: number) => number
  readonly text: (name: string, otherwise: string) => string
  /** The list, empty if there is none; of `length` elements where that is given. */
  readonly integers: (name: string, length?: number) => readonly number[]
  readonly texts: (name: string, length?: number) => readonly string[]
  /** A list of floats, or a tensor in the attribute of that name or `<name>_as_tensor`. Not all need be finite. */
  readonly numbers: (name: string, length?: number) => ArrayLike<number>
}

export const attributesOf = ({ opType, attributes }: OnnxNode): NodeAttributes => {
  const checked = <T extends ArrayLike<unknown>>(name: string, list: T, length?: number): T => {
    if (length !== undefined && list.length !== length) {
      throw new OnnxRefused(
        `'${name}' of ${opType} has ${list.length} elements and should have ${length}; export it again`,
      )
    }
    return list
  }

  const take = <K extends string>(name: string, kind: K) => {
    const attribute = attributes.get(name)
    if (attribute === undefined) return undefined
    if (attribute.kind !== kind) {
      throw new OnnxRefused(
        `'${name}' of ${opType} is of kind ${attribute.kind} and should be ${kind}; export it again`,
      )
    }
    return attribute as Extract<typeof attribute, { kind: K }>
  }

  return {
    has: (name) => attributes.has(name),
    integer: (name, otherwise) => take(name, 'integer')?.value ?? otherwise,
    text: (name, otherwise) => take(name, 'text')?.value ?? otherwise,
    integers: (name, length) => checked(name, take(name, 'integers')?.value ?? [], length),
    texts: (name, length) => checked(name, take(name, 'texts')?.value ?? [], length),
    numbers: (name, length) => {
      const asTensor = attributes.has(`${name}_as_tensor`) ? `${name}_as_tensor` : name
      const isTensor = attributes.get(asTensor)?.kind === 'tensor'
      const list = isTensor ? take(asTensor, 'tensor')?.value.values : take(name, 'floats')?.value
      if (list !== undefined && typeof list[0] === 'string') {
        throw new OnnxRefused(`'${name}' of ${opType} holds texts and should hold numbers; export it again`)
      }
      return checked(name, (list ?? []) as ArrayLike<number>, length)
    },
  }
}
