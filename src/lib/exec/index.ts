export { LogReader } from "./log/reader.ts";
export { type YieldKind, clampYield } from "./model/text.ts";
export { createExecService } from "./service.ts";
export { MARKER as EXEC_MARKER } from "./protocol.ts";
export type * from "./types.ts";
