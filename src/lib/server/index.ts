export { type ServerStatus, ensureServer, serverStatus, startInBackground, stopServer } from "./control.ts";
export type { ServerInfo } from "./info.ts";
export type { LaunchOptions } from "./launch.ts";
export { type RunOptions, runServer } from "./main.ts";
export { serverPaths } from "./paths.ts";
export { type RunningServer, hostWarning, startServer } from "./start.ts";
export { mintToken } from "./tokens.ts";
export type { Thresholds } from "./context.ts";
