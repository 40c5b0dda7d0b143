import { readEventSchemas } from '../../kafka/serde/avro-schemas.ts'
import type { SchemaRegistry } from '../../kafka/serde/schema-registry.ts'
import { packageFile } from '../package-root.ts'

/**
 * Registers the schema of predictions for a further topic that they are written to, so that readers find it under the
 * topic's own subject. The records name the id that it has for the predictions topic: the schema is the same.
 * @throws SchemaRefused, SchemaRegistryUnavailable
 */
export const registerPredictions = async (schemas: SchemaRegistry, topic: string): Promise<void> => {
  const { prediction } = await readEventSchemas(packageFile('schemas'))
  await schemas.register(`${topic}-value`, prediction)
}
