export { type ServerStatus, type StopResult, ensureServer, serverStatus, startInBackground, stopServer } from "./control.ts";
export type { ServerInfo } from "./info.ts";
export type { LaunchOptions } from "./launch.ts";
export { type RunOptions, runServer } from "./main.ts";
export { type ServerPaths, serverPaths } from "./paths.ts";
export { type RunningServer, type StartOptions, hostWarning, startServer } from "./start.ts";
export { type MintOptions, type MintedToken, mintToken } from "./tokens.ts";
export { DEFAULT_THRESHOLDS, type Thresholds } from "./context.ts";
