export * from "./account.ts";
export * from "./agent.ts";
export * from "./comment.ts";
export * from "./issue.ts";
export * from "./json-column.ts";
export * from "./runtime.ts";
export * from "./task.ts";
export * from "./time.ts";
