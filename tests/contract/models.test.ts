import { classifiers, regressors } from '../support/engine-candidates.ts'
import { describeClassifier } from './classifiers-contract.ts'
import { describeRegressor } from './regressors-contract.ts'

for (const candidate of classifiers) describeClassifier(candidate)
for (const candidate of regressors) describeRegressor(candidate)
