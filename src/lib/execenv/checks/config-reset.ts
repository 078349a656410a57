import { readTextIfExists, writeFileAtomic } from "../../platform/index.ts";
import { planConfig } from "../codex/config/render.ts";
import { takeUnits } from "../codex/config/reset.ts";
import { type Check, type CheckContext, finding } from "./check.ts";
import { CONFIG, readConfig, sharedConfig } from "./config-file.ts";
import { homePath, keepCopy, placeKind, reachable, shown } from "./place.ts";

/** What `--reset-config` asks for: `config.toml`, or parts of it, as they are in the user's own. Silent without the flag. */
export const configResetCheck: Check = {
  id: "config-reset",
  section: "codex",
  codes: ["CH_CONFIG_RESET"],

  async check(context) {
    const wanted = await wantedText(context);
    if (wanted === null) return [];
    const units = context.options.resetConfig;
    const what = units === true || units === undefined ? "as in the shared home" : `${units.join(", ")} as in the shared home`;
    return [finding("CH_CONFIG_RESET", { path: shown(CONFIG), expected: what, actual: "edited here" })];
  },

  async repair(context) {
    const wanted = await wantedText(context);
    if (wanted === null) return {};
    const backup = context.options.backup === false ? undefined : await keepCopy(context, CONFIG);
    await writeFileAtomic(homePath(context, CONFIG), wanted, { mode: 0o600 });
    return { backup };
  },
};

/** The text after the reset; null when there is nothing to do, or nothing that could be done to a broken file. */
async function wantedText(context: CheckContext): Promise<string | null> {
  const { codex, options } = context;
  if (codex === undefined || options.resetConfig === undefined || (await placeKind(context, CONFIG)) !== "file") return null;
  const present = await readConfig(context).catch(() => undefined);
  const source = sharedConfig(context);
  const theirs = (await reachable(source)) === "file" ? ((await readTextIfExists(source)) ?? "") : "";
  if (present === undefined) return null;
  try {
    const text = options.resetConfig === true ? theirs : takeUnits(present.text, theirs, options.resetConfig);
    const wanted = planConfig(text, codex.wants).text;
    return wanted === present.text ? null : wanted;
  } catch {
    // Broken TOML on either side has findings of its own.
    return null;
  }
}
