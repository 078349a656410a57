export { type StateHandle, type StateInspector, type StateReader } from "./handle.ts";
export { type OutboxJournal } from "./journal.ts";
export { type EntryState, type OutboxEntry, type ReportKind } from "./outbox-rows.ts";
export { type OpenStateOptions, openState, openStateReader } from "./open.ts";
export { type BeginRun, type BegunRun, type DaemonRun, type StopReason } from "./runs.ts";
export { type LeftoverAgent, type NewTask, type TaskPatch, type TaskPhase, type TaskRecord, type TerminalKind } from "./tasks.ts";
export { type StateTrouble } from "./write-queue.ts";
export { type OutboxSummary, type ReportRow, type StateFacts } from "./survey.ts";
