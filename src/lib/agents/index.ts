export * from "./contract.ts";
export * from "./provider.ts";
export * from "./reducer.ts";
