import type { StoredMessage } from "../lib/wire/index.ts";
import { cutText } from "./table.ts";
import { processStreams } from "./output.ts";

/** What the view is told; the shape of the set-up library's events. */
export type SetupEvent =
  | { readonly type: "stage"; readonly name: string; readonly state: "started" }
  | { readonly type: "stage"; readonly name: string; readonly state: "done"; readonly ms: number; readonly detail?: string }
  | { readonly type: "stage"; readonly name: string; readonly state: "failed"; readonly ms: number; readonly error: string }
  | { readonly type: "message"; readonly message: StoredMessage }
  | { readonly type: "note"; readonly text: string };

export interface StageView {
  onEvent(event: SetupEvent): void;
  /** Closes the view; stages that were never reached are shown as such. */
  end(): Promise<void>;
}

/** One line an event, for pipes and logs. */
export function plainStages(stream: "out" | "err"): StageView {
  const print = (line: string): void => processStreams[stream](`${line}\n`);
  return {
    onEvent: (event) => {
      if (event.type === "note") print(event.text);
      else if (event.type === "message") print(`  ${messageText(event.message)}`);
      else if (event.state === "started") print(`… ${event.name}`);
      else if (event.state === "done") print(`✔ ${event.name} (${event.ms} ms)${event.detail === undefined ? "" : `: ${event.detail}`}`);
      else print(`✖ ${event.name} (${event.ms} ms): ${event.error}`);
    },
    end: () => Promise.resolve(),
  };
}

/** An agent's message as one line. */
export function messageText(message: StoredMessage): string {
  const what = message.tool === undefined ? message.type : `${message.type} ${message.tool}`;
  const input = message.input === undefined || message.input === null ? "" : JSON.stringify(message.input);
  const body = cutText(message.content ?? message.output ?? input, 100);
  return body === "" ? `[${what}]` : `[${what}] ${body}`;
}
