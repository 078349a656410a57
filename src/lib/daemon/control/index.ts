export { type DaemonTarget, type FoundDaemon, findDaemon, foreignError, profileName } from "./find.ts";
export { type ForwardedExtras, forwardedFlags } from "./flags.ts";
export { type LogOptions, readLog } from "./logs.ts";
export { type RestartOptions, restartDaemon } from "./restart.ts";
export { READINESS_WAIT_MS, type StartOptions, type StartResult, startDaemon } from "./start.ts";
export { type DaemonStatus, daemonStatus } from "./status.ts";
export { type StopOptions, type StopResult, stopDaemon } from "./stop.ts";
