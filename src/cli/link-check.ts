import { stat } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { isInside } from "../lib/platform/index.ts";
import { usage } from "./resolve.ts";

export interface LinkCheck {
  readonly text: string | undefined;
  readonly context: { readonly agentId: string | undefined; readonly taskId: string | undefined };
  readonly cwd: string;
  /** How this command would deliver a file, for the message. */
  readonly delivery: string;
}

/**
 * Refuses links to files of this machine in a text that an agent is about to publish: they are dead for every reader
 * (cli.md 4.9.5). Outside an agent task everything passes. Exit 2, nothing is sent.
 */
export async function checkLinks(check: LinkCheck): Promise<void> {
  const { text, context, cwd } = check;
  if (text === undefined || (context.agentId === undefined && context.taskId === undefined)) return;
  const found: string[] = [];
  for (const target of new Set(linkTargets(text))) {
    const reason = await localReason(target, cwd);
    if (reason !== undefined) found.push(`${target} (${reason})`);
  }
  if (found.length === 0) return;
  throw usage(`the text links to files of this machine, which no reader can open: ${found.join(", ")}`, `Put code references into inline code; files: ${check.delivery}.`);
}

/** Destinations of links, images, autolinks and reference definitions; code spans and fences are invisible. */
export function linkTargets(text: string): string[] {
  const prose = text
    .replace(/^ {0,3}(`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:^ {0,3}\1[`~]*[ \t]*$|(?![\s\S]))/gm, "")
    .replace(/(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, "");
  const patterns = [
    /\]\(\s*(?:<([^>\n]*)>|([^\s()]*(?:\([^\s()]*\)[^\s()]*)*))(?:\s+(?:"[^"]*"|'[^']*'|\([^)]*\)))?\s*\)/g,
    /<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*)>/g,
    /^ {0,3}\[[^\]\n]+\]:\s*(?:<([^>\n]*)>|(\S+))/gm,
  ];
  return patterns.flatMap((pattern) => [...prose.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? "")).filter((target) => target !== "");
}

async function localReason(target: string, cwd: string): Promise<string | undefined> {
  if (/^file:/i.test(target)) return "a file: address";
  const path = decoded(target);
  if (!isAbsolute(path)) return undefined;
  if (isInside(cwd, path)) return "inside the working directory";
  const facts = await stat(path).catch(() => undefined);
  return facts !== undefined && !facts.isDirectory() ? "a file of this machine" : undefined;
}

function decoded(target: string): string {
  try {
    return decodeURI(target);
  } catch {
    return target;
  }
}
