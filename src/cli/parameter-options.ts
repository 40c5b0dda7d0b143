import { type Command, Option } from 'commander'
import { readDecimal } from '../features/decimal.ts'
import { type ParameterName, type ParameterValues, parameterFlags } from './ad-hoc/ad-hoc-candidates.ts'

const meanings: Partial<Record<ParameterName, string>> = {
  trees: 'forest: number of trees (100)',
  maxDepth: 'forest: most splits between root and leaf (10)',
  minSamplesSplit: 'forest: fewest rows of a node that is split (2)',
  minSamplesLeaf: 'forest: fewest rows of a leaf (1)',
  maxFeatures: 'forest: features that a split looks at: a share, auto, sqrt, log2 or all (auto)',
  criterion: 'forest: auto, gini, entropy or squared_error (auto)',
  classWeight: 'forest: none or balanced (none)',
  maxBins: 'forest: most bins of a feature, up to 256 (256)',
  kernel: 'svm: rbf or linear (rbf)',
  C: 'svm, logistic: more fits the rows more closely (1)',
  gamma: 'svm: narrowness of the kernel, a number or scale (scale)',
  sigma: 'ml-svm: width of the kernel (2)',
  epsilon: 'svm of numbers: errors that cost nothing, in standard deviations (0.1)',
  tolerance: 'logistic: when the fit has converged (1e-6)',
  maxIterations: 'logistic: most iterations (1000)',
  steps: 'ml-logistic-regression: steps of gradient descent (5000)',
  learningRate: 'ml-logistic-regression: size of a step (0.005)',
  alpha: 'ridge: strength of the penalty (1)',
}

/** The parameters that have a flag, as options of a command call them. */
export const parameterNames: readonly string[] = [...Object.keys(meanings), 'bootstrap']

/** A number where it is one, else the text: the engine's schema says which of both it takes. */
const readValue = (text: string): number | string => {
  const value = readDecimal(text)
  return Number.isNaN(value) ? text : value
}

/** Adds a flag for each parameter of an engine. */
export const withParameterOptions = (command: Command): Command => {
  for (const [name, meaning] of Object.entries(meanings)) {
    const flag = parameterFlags[name as ParameterName]
    command.addOption(new Option(`--${flag} <value>`, meaning).argParser(readValue).helpGroup('Parameters:'))
  }
  command.addOption(new Option('--no-bootstrap', 'forest: each tree sees all rows').helpGroup('Parameters:'))
  return command
}

/** The parameters among the options of a command. */
export const parametersAmong = (options: Readonly<Record<string, unknown>>): ParameterValues => {
  const given = (Object.keys(meanings) as ParameterName[]).filter((name) => options[name] !== undefined)
  const values = Object.fromEntries(given.map((name) => [name, options[name] as number | string]))
  return options['bootstrap'] === false ? { ...values, bootstrap: false } : values
}
