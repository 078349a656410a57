import { asString, isObject } from "../../core/index.ts";
import { makeTempDir, removeTree } from "../../platform/index.ts";
import type { ModelEntry } from "../../wire/index.ts";
import { findOption, sessionModel } from "../families/acp/session-options.ts";
import { converse } from "./conversation.ts";
import { type ModelLister, levelLabel } from "./types.ts";

const TIMEOUT_MS = 15_000;
const CLIENT = { name: "multica-model-discovery", version: "0.1.0" };

/** An ACP agent tells its models with a new session, which is opened in an empty directory and given up (agents.md 9.2). */
export const acpModels: ModelLister = async (probe) => {
  const directory = await makeTempDir("multica-models-");
  try {
    const session = await converse({ ...probe, cwd: directory, args: [], firstId: 0, timeoutMs: TIMEOUT_MS }, async (talk) => {
      await talk.ask("initialize", { protocolVersion: 1, clientInfo: CLIENT, clientCapabilities: {} });
      return await talk.ask("session/new", { cwd: directory, mcpServers: [] });
    });
    return { models: isObject(session) ? sessionModels(session) : [], fallback: false };
  } finally {
    await removeTree(directory);
  }
};

/** The models of a session's answer: the list, else the values of its model option. */
function sessionModels(session: Readonly<Record<string, unknown>>): ModelEntry[] {
  const models = isObject(session.models) ? session.models : session;
  const listed = list(models.availableModels ?? models.available_models).map((one) => [asString(one.modelId) || asString(one.model_id), asString(one.name)] as const);
  const option = list(findOption(session, ["model"])?.options).map((one) => [asString(one.value), asString(one.name)] as const);
  const current = sessionModel(session);
  const thinking = thinkingOf(session);
  const seen = new Set<string>();
  return (listed.length > 0 ? listed : option).flatMap(([rawId, rawName]) => {
    const id = rawId.trim();
    if (id === "" || seen.has(id)) return [];
    seen.add(id);
    const name = rawName.trim();
    const isDefault = id === current;
    return [
      {
        id,
        label: name === "" || name.toLowerCase() === "unknown" ? id : name,
        ...(id.includes(":") ? { provider: id.slice(0, id.indexOf(":")) } : {}),
        ...(isDefault ? { default: true } : {}),
        ...(isDefault && thinking !== undefined ? { thinking } : {}),
      },
    ];
  });
}

/** The effort option of the session, which belongs to its present model. */
function thinkingOf(session: Readonly<Record<string, unknown>>): ModelEntry["thinking"] {
  const option = findOption(session, ["effort", "thought_level"]);
  const values = new Map(list(option?.options).flatMap((one) => (asString(one.value) === "" ? [] : [[asString(one.value), asString(one.name)] as const])));
  if (values.size === 0) return undefined;
  const current = asString(option?.currentValue);
  const levels = [...values].map(([value, name]) => ({ value, label: name.trim() || levelLabel(value) }));
  return { supported_levels: levels, ...(current === "" ? {} : { default_level: current }) };
}

function list(value: unknown): Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
