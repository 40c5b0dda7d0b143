// In place of a pool's program: no thread gets as far as taking work.
throw new Error('no thread starts with this')

export {}
