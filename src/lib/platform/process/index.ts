export * from "./identity.ts";
export * from "./spawn.ts";
export * from "./terminate.ts";
