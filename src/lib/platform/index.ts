export * from "./append-file.ts";
export * from "./background-log.ts";
export * from "./clock.ts";
export * from "./env.ts";
export * from "./fs.ts";
export * from "./fs-tree.ts";
export * from "./fs-exclusive.ts";
export * from "./lock.ts";
export * from "./net.ts";
export * from "./paths.ts";
export * from "./process/index.ts";
export * from "./sqlite.ts";
export * from "./terminal.ts";
export * from "./watch-file.ts";
// Modules with heavy libraries are imported by their own path, so that hot commands do not load them:
// `platform/logger.ts` (pino), `platform/connections.ts` (HTTP) and `platform/process/run-short.ts` (execa).
