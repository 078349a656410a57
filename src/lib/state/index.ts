export { type StateHandle, type StateReader } from "./handle.ts";
export { type OpenStateOptions, openState, openStateReader } from "./open.ts";
export { type BeginRun, type BegunRun, type DaemonRun, type StopReason } from "./runs.ts";
export { type LeftoverAgent, type NewTask, type TaskPatch, type TaskPhase, type TaskRecord, type TerminalKind } from "./tasks.ts";
