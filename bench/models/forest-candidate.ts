import type { Candidate } from '../../src/models/candidate.ts'

/** The forest that is measured: that of the requirements, which is scikit-learn's default but 10 deep. */
export const forestCandidate = {
  name: 'forest',
  family: 'forest',
  engine: 'histogram',
  calibration: 'none',
  parameters: {
    trees: 100,
    maxDepth: 10,
    minSamplesSplit: 2,
    minSamplesLeaf: 1,
    maxFeatures: 'auto',
    criterion: 'auto',
    bootstrap: true,
    classWeight: 'none',
    maxBins: 256,
  },
} as const satisfies Candidate
