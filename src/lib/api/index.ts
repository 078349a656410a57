// Light modules only: a hot command that imports this index must not load ky, ws or zod.
// `api/ky-http.ts`, `api/daemon-api.ts`, `api/socket.ts` and `api/exec-stream.ts` are imported by their own path.
export * from "./errors.ts";
export * from "./exec-port.ts";
export * from "./http.ts";
export * from "./light-http.ts";
export * from "./local-port.ts";
export * from "./user-api.ts";
