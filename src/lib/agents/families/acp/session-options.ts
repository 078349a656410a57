import { asString, isObject } from "../../../core/index.ts";

type Session = Readonly<Record<string, unknown>>;

/** The model a session runs on, as far as its answer says. */
export function sessionModel(session: Session): string {
  const models = isObject(session.models) ? session.models : session;
  return asString(models.currentModelId) || asString(models.current_model_id) || asString(findOption(session, ["model"])?.currentValue);
}

/**
 * How to switch to `model`: the agent's own option where it offers one, else `session/set_model`.
 * Null: it is the session's model already.
 */
export function modelChoice(session: Session, sessionId: string, model: string): { method: string; params: object } | null {
  if (sessionModel(session) === model) return null;
  const option = isObject(session.models) ? undefined : findOption(session, ["model"]);
  if (option === undefined) return { method: "session/set_model", params: { sessionId, modelId: model } };
  return { method: "session/set_config_option", params: { sessionId, configId: asString(option.id), value: model } };
}

/** The id of the effort option, or null when none takes this level. After a switch of the model the offered levels may be stale. */
export function effortOption(session: Session, level: string, modelSwitched: boolean): string | null {
  const option = findOption(session, ["effort", "thought_level"]);
  if (option === undefined) return null;
  const values = Array.isArray(option.options) ? option.options.filter(isObject).map((entry) => asString(entry.value)) : [];
  return modelSwitched || values.includes(level) ? asString(option.id) : null;
}

/** The value an option has after it was set, read from the answer. */
export function optionValue(answer: unknown, names: readonly string[]): string {
  return isObject(answer) ? asString(findOption(answer, names)?.currentValue) : "";
}

/** The option with one of these ids or categories. */
export function findOption(session: Session, names: readonly string[]): Readonly<Record<string, unknown>> | undefined {
  const options = session.configOptions ?? session.config_options;
  if (!Array.isArray(options)) return undefined;
  return options.filter(isObject).find((option) => names.includes(asString(option.id)) || names.includes(asString(option.category)));
}
