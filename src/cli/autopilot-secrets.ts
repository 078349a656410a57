import type { AutopilotTrigger } from "../lib/wire/index.ts";

const SECRETS = ["webhook_token", "webhook_path", "webhook_url"] as const;

/**
 * A trigger without the address that lets anybody start it: older servers send it along (cli.md 5.15). Whether there is
 * one, and its last four characters, stay.
 */
export function withoutSecrets(trigger: AutopilotTrigger): AutopilotTrigger {
  if (!SECRETS.some((key) => key in trigger)) return trigger;
  const has = trigger["has_webhook_token"] === true || trigger.kind === "webhook" || SECRETS.some((key) => Boolean(trigger[key]));
  const token = trigger["webhook_token"];
  const hint = typeof token === "string" && token.length >= 4 ? token.slice(-4) : null;
  return { ...trigger, ...Object.fromEntries(SECRETS.map((key) => [key, null])), has_webhook_token: has, webhook_token_hint: hint };
}

/** Where a webhook is called, or "" when the server does not tell: its own word, else the path below its address (cli.md 5.15). */
export function webhookAddress(trigger: AutopilotTrigger, serverUrl: string): string {
  return trigger.webhook_url || (trigger.webhook_path ? `${serverUrl}${trigger.webhook_path}` : "");
}
