import type { Task } from "../../wire/index.ts";

/** What asking for work can answer; `unsupported` = the server has no batch route. */
export type ClaimAnswer =
  | { readonly kind: "tasks"; readonly tasks: readonly Task[] }
  | { readonly kind: "unsupported" }
  | { readonly kind: "runtime_gone"; readonly runtimeId: string | null }
  /** The request may have reached the server: tasks may be on their way to nobody. */
  | { readonly kind: "uncertain" }
  | { readonly kind: "failed"; readonly error: string };
