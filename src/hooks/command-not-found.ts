import type { Hook } from "@oclif/core/hooks";
import { EXIT, MulticaError } from "../lib/core/index.ts";
import { rememberCommand } from "../cli/failure.ts";
import { nearestFew } from "../cli/parser-failure.ts";

/** Says what is wrong with an unknown command, and what was probably meant; asks nothing (cli.md 6.6). */
const hook: Hook.CommandNotFound = (options) => {
  const ids = options.config.commandIDs;
  const parts = options.id.split(":");
  for (let length = parts.length - 1; length > 0; length -= 1) {
    const prefix = parts.slice(0, length).join(":");
    if (ids.includes(prefix)) throw usage(`unexpected argument: ${parts.slice(length).join(" ")}`, [], prefix);
  }
  const topic = parts.slice(0, -1).join(":");
  const inTopic = topic === "" ? [] : ids.filter((id) => id.startsWith(`${topic}:`));
  const near = [...nearestFew(options.id, inTopic, 3), ...nearestFew(options.id, ids, 3)];
  const hints = [...new Set(near)].slice(0, 3).map((id) => `Did you mean multica ${id.replaceAll(":", " ")}?`);
  throw usage(`unknown command: ${parts.join(" ")}`, hints, options.config.findTopic(topic) === undefined ? undefined : topic);
};
export default hook;

/** `oclif.exit` must be set, or the framework swallows the error and goes on. */
function usage(message: string, suggestions: string[], help: string | undefined): MulticaError {
  const error = Object.assign(new MulticaError("usage", message, { exit: EXIT.usage, suggestions }), { oclif: { exit: EXIT.usage } });
  if (help !== undefined) rememberCommand(error, help);
  return error;
}
