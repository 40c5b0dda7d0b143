import { readFileSync } from 'node:fs'
import { packageFile } from './package-root.ts'

type PackageManifest = { version: string; dependencies: Record<string, string> }

const readManifest = (): PackageManifest =>
  JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as PackageManifest

/** The version of this package, as its manifest says. */
export const packageVersion = (): string => readManifest().version

/** Libraries with a say in what a training gives. */
const ENGINES = /^(ml-|libsvm-js$|simple-statistics$)/

/** The libraries that trainings call, with their exact versions. */
export const engineLibraries = (): Record<string, string> =>
  Object.fromEntries(Object.entries(readManifest().dependencies).filter(([name]) => ENGINES.test(name)))

/** The programs that made a model, for its run record. */
export const softwareVersions = (): { node: string; driftline: string } => ({
  node: process.versions.node,
  driftline: packageVersion(),
})
