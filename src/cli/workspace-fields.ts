import type { WorkspaceInput } from "../lib/wire/users.ts";
import { isUuid } from "../lib/core/index.ts";
import { optionalArgument, switchFlag, textFlag } from "./flags.ts";
import { resolveWorkspace, usage } from "./resolve.ts";
import type { Session } from "./session.ts";
import { readText } from "./text-input.ts";

/** The workspace argument of commands that do without one. */
export const workspaceArgument = optionalArgument("id, slug or prefix; the current one unless given");

/** The id of the workspace that was named, or of the current one; a full UUID is not looked up (cli.md 5.7). */
export async function workspaceIdOf(session: Session, given: string | undefined): Promise<string> {
  const ref = given ?? session.workspaceId();
  return isUuid(ref) ? ref : (await resolveWorkspace(session, ref)).id;
}

/** The flags that `workspace create` and `workspace update` share. */
export const workspaceFieldFlags = {
  description: textFlag("what the workspace is for; \\n is decoded", { helpValue: "<text>" }),
  "description-stdin": switchFlag("read the description from standard input"),
  context: textFlag("what every agent of the workspace is told; \\n is decoded", { helpValue: "<text>" }),
  "context-stdin": switchFlag("read the context from standard input"),
  "issue-prefix": textFlag("beginning of its issues' keys, 1 to 10 letters and digits", { helpValue: "<prefix>" }),
};

interface WorkspaceFieldValues {
  readonly description?: string | undefined;
  readonly "description-stdin": boolean;
  readonly context?: string | undefined;
  readonly "context-stdin": boolean;
  readonly "issue-prefix"?: string | undefined;
}

/** The body for the flags that were given; an empty text clears. One standard input cannot be two texts (cli.md 4.9.1). */
export async function workspaceFields(flags: WorkspaceFieldValues): Promise<WorkspaceInput> {
  if (flags["description-stdin"] && flags["context-stdin"]) throw usage("--description-stdin and --context-stdin exclude each other");
  const description = await textOf("description", flags.description, flags["description-stdin"]);
  const context = await textOf("context", flags.context, flags["context-stdin"]);
  const prefix = flags["issue-prefix"];
  if (prefix?.trim() === "") throw usage("--issue-prefix is empty");
  return {
    ...(description === undefined ? {} : { description }),
    ...(context === undefined ? {} : { context }),
    ...(prefix === undefined ? {} : { issue_prefix: prefix.trim() }),
  };
}

async function textOf(name: string, inline: string | undefined, stdin: boolean): Promise<string | undefined> {
  if (inline !== undefined && stdin) throw usage(`--${name} and --${name}-stdin exclude each other`);
  return inline === "" ? "" : readText({ name, inline, stdin, cwd: "" });
}
