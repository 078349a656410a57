import { textFlag } from "../flags.ts";

/** Which thread a command means; without one, the task's own or the operator's. */
export const threadFlags = {
  task: textFlag("thread of this task", { helpValue: "<uuid>" }),
  issue: textFlag("conversation about this issue", { helpValue: "<uuid>" }),
};
