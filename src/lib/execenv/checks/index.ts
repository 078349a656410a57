export { healEnvironment, inspectEnvironment } from "./run.ts";
export type { BlockView, EntryView, Finding, FindingStatus, Fix, HealOptions, Report, ReportStatus, Severity, Target } from "./types.ts";
export { isFindingCode } from "./codes.ts";
