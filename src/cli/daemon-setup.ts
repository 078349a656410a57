import { createUserApi } from "../lib/api/user-api.ts";
import { type DaemonConfig, parseServerUrl, readSettings, resolveDaemonConfig, type RunContext, settingDuration } from "../lib/config/index.ts";
import { forwardedFlags, type RestartOptions } from "../lib/daemon/index.ts";
import { type Env, selfCommand, systemClock } from "../lib/platform/index.ts";
import { type DaemonFlagValues, toDaemonFlags } from "./daemon-flags.ts";
import { daemonTarget } from "./daemon-target.ts";
import { usage } from "./resolve.ts";
import { plainHttp } from "./session.ts";

export interface DaemonCommandInput {
  readonly context: RunContext;
  readonly env: Env;
  readonly home: string;
  readonly flags: DaemonFlagValues & { readonly wait?: string | undefined; readonly ensure?: boolean; readonly "no-state"?: boolean };
}

/** The daemon's configuration as this command line, environment and settings give it; throws for a bad value (exit 2). */
export function daemonConfig({ context, env, home, flags }: DaemonCommandInput): DaemonConfig {
  return resolveDaemonConfig({
    flags: toDaemonFlags(flags),
    env,
    settings: readSettings(context.stateDir),
    profile: context.profile,
    stateDir: context.stateDir,
    home,
  });
}

/** Everything that starting or restarting in the background needs. Bad settings are found here, before a process is made. */
export function startOptions(input: DaemonCommandInput): RestartOptions {
  const { context, env, flags } = input;
  const config = daemonConfig(input);
  const waitMs = flags.wait === undefined ? undefined : settingDuration(flags.wait, "--wait");
  if (waitMs !== undefined && waitMs <= 0) throw usage("--wait must be positive");
  const serverUrl = parseServerUrl(config.serverUrl) ?? config.serverUrl;
  return {
    ...daemonTarget({ context, port: flags.port }),
    token: config.token,
    serverUrl,
    self: selfCommand(),
    flags: forwardedFlags(toDaemonFlags(flags), { profile: context.profile, noState: flags["no-state"] === true }),
    env,
    clock: systemClock,
    ensure: flags.ensure === true,
    checkToken: () => createUserApi(plainHttp(context, serverUrl, config.token)).me(),
    ...(waitMs === undefined ? {} : { waitMs }),
  };
}
