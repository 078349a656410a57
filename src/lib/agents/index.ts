export * from "./contract.ts";
export * from "./provider.ts";
export * from "./reducer.ts";
export * from "./registry.ts";
export * from "./run.ts";
export * from "./launch/environment.ts";
export * from "./launch/plan.ts";
export * from "./transport/transport.ts";
