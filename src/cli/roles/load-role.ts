import type { RoleName, StartRole } from './role.ts'

/** Loads only the role that is asked for: a scoring worker needs no web server's queue board. */
export const loadRole = async (name: RoleName): Promise<StartRole> => {
  switch (name) {
    case 'score':
      return (await import('./score.ts')).startScoreRole
    case 'record':
      return (await import('./record.ts')).startRecordRole
    case 'watch':
      return (await import('./watch.ts')).startWatchRole
    case 'retrain':
      return (await import('./retrain.ts')).startRetrainRole
    case 'shadow':
      return (await import('./shadow.ts')).startShadowRole
    case 'ingress':
      return (await import('./ingress.ts')).startIngressRole
  }
}
