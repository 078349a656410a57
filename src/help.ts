import { Help } from "@oclif/core/help";

const GROUPS: readonly (readonly [string, readonly string[]])[] = [
  ["START HERE", ["quickstart", "setup"]],
  ["WORK", ["issue", "agent", "workspace", "repo"]],
  ["MACHINE", ["daemon", "runtime", "server"]],
  ["MORE", ["login", "logout", "auth", "config", "version", "autocomplete", "help"]],
];

const VARIABLES: readonly (readonly [string, string])[] = [
  ["MULTICA_SERVER_URL", "server address"],
  ["MULTICA_WORKSPACE_ID", "workspace"],
  ["MULTICA_TOKEN", "token"],
  ["MULTICA_HTTP_TIMEOUT", "limit of a request, such as 45s"],
  ["MULTICA_DEBUG", "show the whole chain of an error"],
  ["MULTICA_HOME", "directory used instead of ~/.multica"],
  ["NO_COLOR", "no colours"],
];

/** The framework's help with a root page in the order a newcomer needs (cli.md 6.7). Needs no settings and no network. */
export default class ProductHelp extends Help {
  protected override async showRootHelp(): Promise<void> {
    const described = new Map<string, string>();
    for (const topic of this.sortedTopics) described.set(topic.name, topic.description ?? "");
    for (const command of this.sortedCommands) described.set(command.id, command.summary ?? command.description ?? "");
    described.set("help", "Show the help of a command");
    described.set("autocomplete", "Set completion up for bash, zsh or PowerShell");
    const groups = GROUPS.map(([title, names]) => {
      const rows = names.filter((name) => described.has(name)).map((name) => row(name, described.get(name) ?? ""));
      return rows.length === 0 ? "" : [title, ...rows, ""].join("\n");
    });
    this.log(
      [
        "multica runs coding agents on your own machine: an issue goes in, a real agent works on it, a commit comes out.",
        "",
        "USAGE",
        "  $ multica <command> [flags]",
        "",
        ...groups.filter((group) => group !== ""),
        "GLOBAL FLAGS",
        row("--profile", "settings, daemon and log of this profile"),
        row("--server-url", "server address"),
        row("--workspace-id", "workspace"),
        row("--output, --json", "form of the output"),
        row("--debug", "show the whole chain of an error"),
        "",
        "ENVIRONMENT",
        ...VARIABLES.map(([name, text]) => row(name, text)),
        "",
        "multica <command> --help tells more about each of them.",
      ].join("\n"),
    );
    return Promise.resolve();
  }
}

function row(name: string, text: string): string {
  return `  ${name.padEnd(22)}${text}`;
}
