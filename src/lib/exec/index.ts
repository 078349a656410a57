export { agentThread } from "./agent-thread.ts";
export { LogReader } from "./log/reader.ts";
export { type YieldKind, clampYield } from "./model/text.ts";
export { MARKER as EXEC_MARKER } from "./protocol.ts";
export { createExecService } from "./service.ts";
export type * from "./types.ts";
export { type RecordedProcess, endRecorded, followRecorded, recordedLog, recordedProcesses, recordedUsers } from "./offline.ts";
