import type { RuntimeProbe } from "../lib/daemon/index.ts";
import { tableText } from "./table.ts";

const SOURCES: Readonly<Record<string, string>> = {
  variable: "named by a variable",
  path: "on PATH",
  "login-shell": "through the login shell",
  "version-manager": "with a version manager",
  bundle: "in a desktop app",
};

/** `daemon probe-runtimes`: what was found with where from, then what was not, with why. */
export function probeText({ agents, skipped }: RuntimeProbe): string {
  const found = agents.map(({ provider, version, source, path }) => [provider, version, SOURCES[source] ?? source, path]);
  const table = found.length === 0 ? "No agent was found.\n" : tableText(["AGENT", "VERSION", "FOUND", "PATH"], found);
  const lines = skipped.map(({ provider, reason }) => `Not used: ${provider} (${reason})\n`);
  return table + lines.join("");
}
