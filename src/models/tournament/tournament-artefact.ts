import { createHash } from 'node:crypto'
import { classNamesOf, takeRows } from '../../features/dataset.ts'
import { digestRows } from '../../features/digest.ts'
import { createRandom } from '../../features/random.ts'
import { sampleRows } from '../../features/stratified.ts'
import { evaluate } from '../evaluate.ts'
import { pickGoldenRows } from '../golden-rows.ts'
import type { CandidateReport, CrossValidation, ModelArtefact } from '../manifest.ts'
import { REFERENCE_SECTION } from '../reference.ts'
import { packSections } from '../sections.ts'
import { championFacts } from './champion-facts.ts'
import type { Champion } from './final-fit.ts'
import type { SplitRows } from './split-rows.ts'
import type { TournamentInput } from './tournament-types.ts'

/**
 * The winner as it is stored: its arrays, the reference sample and the manifest.
 * @param reports.nested the figure of the whole choice, or null where it was not asked for
 */
export const artefactOf = (
  input: TournamentInput,
  champion: Champion,
  rows: SplitRows,
  reports: { readonly candidates: CandidateReport[]; readonly nested: CrossValidation | null },
): ModelArtefact => {
  const { base, recent, seed } = input
  const { trial, final } = champion
  const { training, test, reference } = rows
  const { candidates, nested } = reports
  const { candidate, calibration, cv } = trial
  const { arrays, scorer, standardiser } = final.model
  const sample = takeRows(reference, sampleRows(reference.rows, input.referenceRows, createRandom(seed, 'reference')))
  const { outOfBag, importance } = championFacts(champion, rows, seed)
  const { binary, sections } = packSections([...arrays, { name: REFERENCE_SECTION, values: sample.features }])
  return {
    binary,
    manifest: {
      format: 2,
      task: input.task,
      name: candidate.name,
      kind: base.kind,
      family: candidate.family,
      engine: candidate.engine,
      parameters: { ...candidate.parameters },
      features: [...base.featureNames],
      categories: base.categories.map((names) => [...names]),
      classes: [...classNamesOf(base)],
      standardiser,
      calibration:
        calibration === null
          ? null
          : { method: calibration.method, before: calibration.before, after: calibration.after },
      seed,
      data: {
        digest: digestRows(training),
        base_rows: base.rows,
        recent_rows: recent?.rows ?? 0,
        train_rows: training.rows,
        test_rows: test.rows,
      },
      reference: { source: recent === undefined ? 'training' : 'recent', rows: sample.rows },
      selection: input.selection ?? 'best',
      metrics: {
        cv,
        ...(nested === null ? {} : { nested }),
        ...(outOfBag === null ? {} : { out_of_bag: outOfBag }),
        train: evaluate(scorer, training),
        test: evaluate(scorer, test),
      },
      ...(importance === null ? {} : { importance }),
      candidates,
      golden: pickGoldenRows(scorer, training),
      parent: input.parent,
      reason: input.reason,
      binary: { sha256: createHash('sha256').update(binary).digest('hex'), bytes: binary.byteLength, sections },
    },
  }
}
