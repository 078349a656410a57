interface Login {
  readonly user: { readonly name: string; readonly email: string };
  readonly workspace_id: string | null;
  readonly workspaces: readonly { readonly id: string; readonly name: string }[];
  readonly warning?: string;
}

/** What a person is told after signing in. */
export function loginNotes(report: Login, profile: string): string[] {
  const command = profile === "" ? "multica" : `multica --profile ${profile}`;
  const { user, workspaces } = report;
  const lines = [`Signed in as ${user.name} (${user.email}); the token is stored.`];
  if (report.warning !== undefined) return [...lines, `Warning: ${report.warning}`];
  if (workspaces.length === 0) return [...lines, "There is no workspace yet: create one in the web app, then sign in again."];
  lines.push(`${workspaces.length} ${workspaces.length === 1 ? "workspace" : "workspaces"}:`);
  for (const one of workspaces) lines.push(`${one.id === report.workspace_id ? "* " : "  "}${one.name}  ${one.id}`);
  if (workspaces.length > 1) lines.push(`${command} workspace switch <workspace> chooses another one.`);
  return [...lines, `Next: ${command} daemon start`];
}

export interface AuthStatus {
  readonly authenticated: boolean;
  readonly server_url: string | null;
  readonly user: { readonly name: string; readonly email: string } | null;
  readonly token_prefix?: string;
  /** Why not, when not. */
  readonly reason?: "no_token" | "rejected";
}

/** `auth status`. */
export function authText(status: AuthStatus): string {
  const lines = [`Server:  ${status.server_url ?? "(not set)"}`];
  if (status.user !== null) lines.push(`User:    ${status.user.name} (${status.user.email})`);
  else lines.push(status.reason === "rejected" ? "The token is invalid or has expired." : "Not signed in.");
  if (status.token_prefix !== undefined) lines.push(`Token:   ${status.token_prefix}`);
  return `${lines.join("\n")}\n`;
}
