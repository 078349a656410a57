export * from "./control/index.ts";
export { type DaemonInfo, daemonPaths, readDaemonInfo, readOperatorToken } from "./files.ts";
