import { usage } from "./resolve.ts";

/** The protocol families that a runtime profile may have (cli.md 5.6); `acp` is ours and for the embedded server (decision 13). */
const FAMILIES = [
  ...["acp", "antigravity", "claude", "codebuddy", "codex", "copilot", "cursor", "deveco", "dim", "dsh", "grok", "hermes"],
  ...["kimi", "kiro", "mcode", "openclaw", "opencode", "pi", "qoder", "qoderclicn", "qwen", "qwenpaw", "reasonix", "traecli"],
];

export function checkFamily(family: string): string {
  if (FAMILIES.includes(family)) return family;
  throw usage(`${JSON.stringify(family)} is not a protocol family`, `Families: ${FAMILIES.join(", ")}.`);
}

/** A required text that must not be blank. */
export function notBlank(flag: string, value: string): string {
  if (value.trim() !== "") return value.trim();
  throw usage(`${flag} is empty`);
}
