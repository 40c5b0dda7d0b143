/** How long each layer may take to stop. Every one leaves its own parts the time to say what did not stop. */
export const stopDeadlines = {
  /** A consumer with its batch at hand, a training that goes back to the queue. */
  partMs: 10_000,
  /** A worker, before the role that it is one of several of kills it. */
  workerMs: 20_000,
  /** All parts of a role, one after another. */
  roleMs: 25_000,
  /** A role, before its supervisor kills it. */
  supervisorMs: 30_000,
} as const
