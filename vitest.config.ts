import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** Tests mostly wait: two at a time where there are two cores, and one core is left where there are more. */
const maxWorkers = Math.max(2, availableParallelism() - 1)

const servers = {
  globalSetup: ['tests/support/global-setup.ts'],
  testTimeout: 60_000,
  hookTimeout: 120_000,
}

export default defineConfig({
  test: {
    // Kafka takes a few seconds to end in order, more on a busy machine.
    teardownTimeout: 60_000,
    projects: [
      {
        test: {
          ...{ name: 'unit', include: ['tests/unit/**/*.test.ts'], environment: 'node', maxWorkers },
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Real Kafka, registry and Redis, started once for the run on free ports.
        test: {
          name: 'servers',
          include: ['tests/{contract,integration}/**/*.test.ts'],
          ...servers,
          maxWorkers,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // Whole processes that are killed and paused: two at a time, however many cores there are. Much of it is waiting,
        // and more would starve each other.
        test: {
          name: 'system',
          include: ['tests/{faults,e2e}/**/*.test.ts'],
          ...servers,
          testTimeout: 300_000,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
