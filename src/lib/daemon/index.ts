export * from "./control/index.ts";
export { type DaemonInfo, daemonPaths } from "./files.ts";
