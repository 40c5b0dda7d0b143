/** The bundled example: what a command works on where nobody names a task file. */
export const defaultTaskFile = 'examples/iris/driftline.yaml'
