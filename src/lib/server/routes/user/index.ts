import type { ServerContext } from "../../context.ts";
import type { App } from "../../http/env.ts";
import { agentRoutes } from "./agents.ts";
import { agentActionRoutes } from "./agent-actions.ts";
import { attachmentRoutes } from "./attachments.ts";
import { autopilotRoutes } from "./autopilots.ts";
import { chatRoutes } from "./chat.ts";
import { commentRoutes } from "./comments.ts";
import { inboxRoutes } from "./inbox.ts";
import { issueBatchRoutes } from "./issue-batches.ts";
import { issueRoutes } from "./issues.ts";
import { issueSatelliteRoutes } from "./issue-satellites.ts";
import { labelRoutes } from "./labels.ts";
import { meRoutes } from "./me.ts";
import { profileRoutes } from "./profiles.ts";
import { projectRoutes } from "./projects.ts";
import { runtimeRequestRoutes } from "./runtime-requests.ts";
import { runtimeRoutes } from "./runtimes.ts";
import { skillRoutes } from "./skills.ts";
import { squadRoutes } from "./squads.ts";
import { taskRoutes } from "./tasks.ts";
import { tokenRoutes } from "./tokens.ts";
import { workspaceRoutes } from "./workspaces.ts";

/** Every user route this server has (server-api.md 14.3). */
export function userRoutes(app: App, ctx: ServerContext): void {
  meRoutes(app, ctx);
  tokenRoutes(app, ctx);
  workspaceRoutes(app, ctx);
  profileRoutes(app, ctx);
  runtimeRoutes(app, ctx);
  runtimeRequestRoutes(app, ctx);
  skillRoutes(app, ctx);
  agentRoutes(app, ctx);
  agentActionRoutes(app, ctx);
  projectRoutes(app, ctx);
  squadRoutes(app, ctx);
  inboxRoutes(app, ctx);
  autopilotRoutes(app, ctx);
  chatRoutes(app, ctx);
  labelRoutes(app, ctx);
  issueBatchRoutes(app, ctx);
  issueRoutes(app, ctx);
  issueSatelliteRoutes(app, ctx);
  commentRoutes(app, ctx);
  attachmentRoutes(app, ctx);
  taskRoutes(app, ctx);
}
