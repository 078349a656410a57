import type { UpdateResult } from "../../wire/index.ts";

/** An update that the server asks for (daemon.md 16.1). The server hands it out once, so it must be answered. */
export interface UpdateAction {
  readonly runtimeId: string;
  readonly id: string;
  readonly targetVersion: string;
  /** Tells the server how it stands: `running` once at most, then `completed` or `failed`. Never throws. */
  report(result: UpdateResult & { readonly status: "running" | "completed" | "failed" }): Promise<boolean>;
}

/** Who performs updates. Resolves when the action is answered; must not throw. */
export type RequestUpdate = (action: UpdateAction) => Promise<void>;
