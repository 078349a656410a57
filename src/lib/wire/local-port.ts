import { z } from "zod";

const text = z.string().nullish();

/** `GET /health` of the daemon's local port (daemon.md 13.2). */
const healthSchema = z.looseObject({
  status: z.string(),
  pid: z.number(),
  os: text,
  uptime: text,
  profile: z.unknown().optional(),
  state_root: text,
  daemon_id: text,
  device_name: text,
  server_url: text,
  cli_version: text,
  launched_by: text,
  /** It claims nothing more and ends when its tasks have. */
  stopping: z.boolean().nullish(),
  exec_processes: z.looseObject({ attached: z.number(), detached: z.number() }).nullish(),
  active_task_count: z.number().nullish(),
  running_task_count: z.number().nullish(),
  resource_wait_task_count: z.number().nullish(),
  repo_maintenance_active: z.number().nullish(),
  repo_checkout_waiters: z.number().nullish(),
  agents: z.array(z.string()).nullish(),
  /** Where each agent is and how it was found: `variable`, `path`, `login-shell`, `version-manager` or `bundle`. */
  found_agents: z.array(z.looseObject({ provider: z.string(), path: z.string(), version: text, source: text })).nullish(),
  /** Commands of runtime profiles that run here. */
  custom_agents: z.array(z.looseObject({ name: z.string(), provider: z.string(), path: z.string() })).nullish(),
  /** Runtime profiles that cannot be started here, with the reason. */
  failed_profiles: z.array(z.looseObject({ profile_id: z.string(), command_name: z.string(), reason: z.string() })).nullish(),
  skipped_agents: z.record(z.string(), z.string()).nullish(),
  state: text,
  /** The link to the server, and what waits there for this machine. */
  link: z.looseObject({ connected: z.boolean(), since: text, claims: text }).nullish(),
  last_heartbeat_at: text,
  slots: z.looseObject({ total: z.number(), free: z.number() }).nullish(),
  queue: z
    .looseObject({
      as_of: text,
      error: text,
      tasks: z.array(z.looseObject({ task_id: z.string(), runtime_id: z.string(), agent_id: z.string(), status: z.string(), queued_at: text, reason: z.string(), text: z.string() })),
    })
    .nullish(),
  recent: z.array(z.looseObject({ kind: z.string(), id: z.string(), ended_at: z.string(), outcome: z.string(), reason: z.string() })).nullish(),
  parked: z.array(z.looseObject({ runtime_id: text, provider: z.string(), reason: z.string() })).nullish(),
  /** Switches that a server of the base generation sent with its heartbeats. */
  feature_flags: z.looseObject({ version: z.number(), flags: z.record(z.string(), z.string()) }).nullish(),
  workspaces: z.array(z.looseObject({ id: z.string(), runtimes: z.array(z.string()) })).nullish(),
});
export type Health = z.infer<typeof healthSchema>;

/** `POST /repo/checkout` (daemon.md 13.4); workspace, task and agent come from the credential, not from here. */
export const checkoutRequestSchema = z.looseObject({
  url: z.string().default(""),
  workspace_id: z.string().default(""),
  workdir: z.string().default(""),
  ref: text,
  agent_name: text,
  task_id: text,
  checkout_mode: text,
  retry_busy: z.boolean().optional(),
});
export type CheckoutRequest = z.input<typeof checkoutRequestSchema>;
const checkoutResponseSchema = z.looseObject({ path: z.string(), branch_name: z.string() });
export type CheckoutResponse = z.infer<typeof checkoutResponseSchema>;

