import { crc32c, Writer } from '@platformatic/kafka'

/**
 * CRC-32C of the bytes. The library's function copies what it is given, save what a writer holds.
 */
export const checksum = (bytes: Buffer): number => crc32c(Writer.create().append(bytes).dynamicBuffer)
