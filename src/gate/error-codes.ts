/** Codes of JSON-RPC errors that the gate writes or knows (JSON-RPC 2.0 §5.1; MCP 2026-07-28 basic, Error Codes). */

/** The request is none we serve. */
export const invalidRequest = -32_600
export const methodNotFound = -32_601
export const invalidParams = -32_602
/** The fault is ours, or the backend's. */
export const internalError = -32_603
/** Header fields and body name different operations. */
export const headerMismatchCode = -32_020
export const missingCapability = -32_021
export const unsupportedRevision = -32_022
