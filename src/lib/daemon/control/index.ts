export { type DaemonTarget, type FoundDaemon, findDaemon } from "./find.ts";
export { type ForwardedExtras, forwardedFlags } from "./flags.ts";
export { type LogOptions, readLog } from "./logs.ts";
export { type RuntimeProbe, probeRuntimes } from "./probe.ts";
export { type RestartOptions, restartDaemon } from "./restart.ts";
export { type StartOptions, type StartResult, startDaemon } from "./start.ts";
export { type DaemonStatus, daemonStatus } from "./status.ts";
export { type StopOptions, type StopResult, stopDaemon } from "./stop.ts";
