import { figuresOf } from '../../models/headline.ts'
import type { CrossValidation, Evaluation, ModelArtefact, ModelManifest } from '../../models/manifest.ts'
import type { AliasName, AliasState, VersionSummary } from '../../registry/registry-types.ts'
import { aliasNames } from '../open-model.ts'
import { formatTable } from '../table.ts'
import { type FeatureImportance, featureImportance } from './feature-importance.ts'
import { type Ancestor, parentChain } from './parent-chain.ts'

/** Features whose importance is listed for people. */
const MAX_LISTED_FEATURES = 15

/** Everything that is known of a version. */
export type VersionDescription = VersionSummary & {
  readonly aliases: readonly AliasName[]
  readonly shadow: boolean
  /** The moves of aliases to this version, and of it among the shadows; oldest first. */
  readonly history: AliasState['history']
  /** From its parent up to the first version. */
  readonly ancestors: readonly Ancestor[]
  readonly importance: readonly FeatureImportance[] | null
}

export const aliasesOf = (version: string, { aliases }: AliasState): AliasName[] =>
  aliasNames.filter((alias) => aliases[alias] === version)

/** In what capacity a version scores, by name. */
export const servesAs = (version: { readonly aliases: readonly string[]; readonly shadow: boolean }): string[] => [
  ...version.aliases,
  ...(version.shadow ? ['shadow'] : []),
]

export const isoTime = (ms: number): string => new Date(ms).toISOString()

/** @param versions all that the store lists */
export const describeVersion = (
  summary: VersionSummary,
  context: { artefact: ModelArtefact; versions: readonly VersionSummary[]; state: AliasState },
): VersionDescription => {
  const { state, versions, artefact } = context
  return {
    ...summary,
    aliases: aliasesOf(summary.version, state),
    shadow: state.shadows.includes(summary.version),
    history: state.history.filter(({ version }) => version === summary.version),
    ancestors: parentChain(versions, summary.version),
    importance: featureImportance(artefact),
  }
}

const figuresText = (evaluation: Evaluation): string =>
  Object.entries(figuresOf(evaluation))
    .map(([name, value]) => `${name} ${Number(value.toPrecision(6))}`)
    .join(', ')

/** A model that was trained elsewhere has seen no folds here. */
const foldsText = ({ folds, metric, mean, sd }: CrossValidation): string =>
  folds === 0 ? '-' : `${metric} ${mean.toFixed(4)} +- ${sd.toFixed(4)}`

const calibrationText = ({ calibration }: ModelManifest): string => {
  if (calibration === null) return 'none'
  const { method, before, after } = calibration
  const error = (scores: { log_loss: number; calibration_error: number }): string =>
    `log-loss ${scores.log_loss.toFixed(4)}, calibration error ${scores.calibration_error.toFixed(4)}`
  return `${method}: ${error(before)} before, ${error(after)} after, on held-out folds`
}

const factsOf = (described: VersionDescription): string[][] => {
  const { version, manifest, run } = described
  const { metrics, data, binary } = manifest
  const target = manifest.kind === 'regression' ? 'a number' : manifest.classes.join(', ')
  const { lineage, validation, imported_from: importedFrom } = run
  return [
    ['version', version],
    ['aliases', servesAs(described).join(', ') || '-'],
    ['model', `${manifest.name} (${manifest.family}, ${manifest.engine})`],
    ...(importedFrom === undefined ? [] : [['imported', `from ${importedFrom}`]]),
    ['parameters', JSON.stringify(manifest.parameters)],
    ['features', manifest.features.join(', ')],
    ['predicts', target],
    ['test', figuresText(metrics.test)],
    ['train', figuresText(metrics.train)],
    ['folds', foldsText(metrics.cv)],
    ...(metrics.out_of_bag === undefined
      ? []
      : [['out of bag', `${metrics.out_of_bag.metric} ${metrics.out_of_bag.score.toFixed(4)}`]]),
    ['calibration', calibrationText(manifest)],
    ['rows', `${data.train_rows} train, ${data.test_rows} test (${data.base_rows} base, ${data.recent_rows} recent)`],
    ['data', `sha256 ${lineage?.data ?? data.digest}`],
    ['settings', lineage === undefined ? '-' : `sha256 ${lineage.parameters}`],
    ['code', lineage === undefined ? '-' : `sha256 ${lineage.code}`],
    ['binary', `sha256 ${binary.sha256}, ${binary.bytes} bytes`],
    ['lineage', `parent ${manifest.parent ?? '-'}, reason ${manifest.reason}, seed ${manifest.seed}`],
    [
      'trained',
      `${isoTime(run.trained_at)} by ${run.trained_by} in ${run.seconds.toFixed(2)} s, driftline ${run.driftline}`,
    ],
    ...(validation === undefined ? [] : [['validation', `${validation.issues.length} warnings`]]),
  ]
}

const section = (head: string[], rows: string[][]): string[] =>
  rows.length === 0 ? [] : ['', formatTable([head, ...rows])]

/** Features with what the model loses without them, and what they lessened the impurity by; the most important first. */
const importanceSection = ({ manifest, importance }: VersionDescription): string[] => {
  const lost = new Map(manifest.importance?.features.map(({ feature, mean, sd }) => [feature, { mean, sd }]))
  const impurity = new Map(importance?.map((entry) => [entry.feature, entry.importance]))
  const rank = (feature: string): number => lost.get(feature)?.mean ?? impurity.get(feature) ?? 0
  const listed = manifest.features
    .filter((feature) => lost.has(feature) || impurity.has(feature))
    .sort((a, b) => rank(b) - rank(a) || (impurity.get(b) ?? 0) - (impurity.get(a) ?? 0))
    .slice(0, MAX_LISTED_FEATURES)
  return section(
    ['FEATURE', `${(manifest.importance?.metric ?? 'score').toUpperCase()} LOST`, 'IMPURITY'],
    listed.map((feature) => {
      const loss = lost.get(feature)
      return [
        feature,
        loss === undefined ? '-' : `${loss.mean.toFixed(4)} +- ${loss.sd.toFixed(4)}`,
        impurity.get(feature)?.toFixed(4) ?? '-',
      ]
    }),
  )
}

/** A version for people. */
export const versionText = (described: VersionDescription): string => {
  const { history, ancestors, run } = described
  return [
    formatTable(factsOf(described)),
    ...importanceSection(described),
    ...section(
      ['WARNING', 'FEATURE', 'MESSAGE'],
      (run.validation?.issues ?? []).map(({ code, feature, message }) => [code, feature ?? '-', message]),
    ),
    ...section(
      ['ANCESTOR', 'REASON', 'TRAINED', 'BY', 'DATA'],
      ancestors.map((ancestor) => [
        ancestor.version,
        ancestor.reason ?? 'not there any more',
        ancestor.trained_at === null ? '-' : isoTime(ancestor.trained_at),
        ancestor.trained_by ?? '-',
        ancestor.data?.slice(0, 12) ?? '-',
      ]),
    ),
    ...section(
      ['EPOCH', 'ALIAS', 'AT', 'BY', 'REASON'],
      history.map((change) => [
        ...[String(change.epoch), change.alias === 'shadow' ? `shadow ${change.change}` : change.alias],
        ...[isoTime(change.at), change.actor, change.reason],
      ]),
    ),
  ].join('\n')
}
