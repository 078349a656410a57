import chalk from "chalk";
import { Listr } from "listr2";
import { messageText, type SetupEvent, type StageView } from "./stages.ts";

interface Stage {
  readonly name: string;
  readonly over: Promise<Outcome>;
  readonly finish: (outcome: Outcome) => void;
  show: ((line: string) => void) | undefined;
}

type Outcome =
  | { readonly kind: "done"; readonly ms: number; readonly detail: string | undefined }
  | { readonly kind: "failed"; readonly error: string }
  | { readonly kind: "skipped" };

/** The stages as a list that changes in place (listr2), with the agent's last message below the running one. */
export function liveStages(names: readonly string[]): StageView {
  const stages = names.map(openStage);
  const find = (name: string): Stage | undefined => stages.find((stage) => stage.name === name);
  const list = new Listr(
    stages.map((stage) => ({
      title: stage.name,
      task: async (_context: unknown, task: { title: string; output: string; skip(text: string): void }) => {
        stage.show = (line) => (task.output = line);
        const outcome = await stage.over;
        stage.show = undefined;
        if (outcome.kind === "skipped") task.skip(`${stage.name} ${chalk.dim("not reached")}`);
        else if (outcome.kind === "failed") throw new Error(outcome.error);
        else task.title = `${stage.name} ${chalk.dim(`${outcome.ms} ms${outcome.detail === undefined ? "" : ` · ${outcome.detail}`}`)}`;
      },
    })),
    { concurrent: false, exitOnError: false, collectErrors: false, rendererOptions: { collapseErrors: false } },
  );
  // Failures are told by the command itself; the list only shows them.
  const running = list.run().catch(() => undefined);
  let current: Stage | undefined;
  return {
    onEvent: (event: SetupEvent) => {
      if (event.type === "message") return current?.show?.(messageText(event.message));
      if (event.type === "note") return current?.show?.(event.text);
      const stage = find(event.name);
      if (event.state === "started") current = stage;
      else if (event.state === "done") stage?.finish({ kind: "done", ms: event.ms, detail: event.detail });
      else stage?.finish({ kind: "failed", error: event.error });
    },
    end: async () => {
      for (const stage of stages) stage.finish({ kind: "skipped" });
      await running;
    },
  };
}

function openStage(name: string): Stage {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  return { name, over: promise, finish: resolve, show: undefined };
}
