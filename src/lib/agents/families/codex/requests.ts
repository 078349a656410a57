import { isObject } from "../../../core/index.ts";
import { METHOD_NOT_FOUND, type RpcId, rpcRefusal, rpcReply } from "../../jsonrpc/peer.ts";

export type RequestAnswer = {
  readonly line: string;
  /** The turn cannot go well without the answer we do not have. */
  readonly turnError?: string;
  /** Names of parts that were not granted. */
  readonly dropped?: readonly string[];
};

/**
 * The answer to a request of the app-server (agents.md 14.6): everything is granted, each dialect in its own words
 * (real-agents.md 3, finding 29). The sandbox of the per-task home is what limits the agent, not these questions.
 */
export function answerRequest(id: RpcId, method: string, params: unknown): RequestAnswer {
  switch (method) {
    case "item/commandExecution/requestApproval":
    case "item/fileChange/requestApproval":
      return { line: rpcReply(id, { decision: "accept" }) };
    case "execCommandApproval":
    case "applyPatchApproval":
      return { line: rpcReply(id, { decision: "approved" }) };
    case "item/permissions/requestApproval":
      return grantPermissions(id, params);
    case "mcpServer/elicitation/request":
      return { line: rpcReply(id, { action: "accept", content: null, _meta: null }) };
    default: {
      const text = `unsupported codex app-server request: ${method}`;
      return { line: rpcRefusal(id, METHOD_NOT_FOUND, text), turnError: text };
    }
  }
}

function grantPermissions(id: RpcId, params: unknown): RequestAnswer {
  const asked = isObject(params) && isObject(params.permissions) ? params.permissions : {};
  const known = new Set(["network", "fileSystem"]);
  const permissions = Object.fromEntries(Object.entries(asked).filter(([name, value]) => known.has(name) && value !== null && value !== undefined));
  const dropped = Object.keys(asked).filter((name) => !known.has(name));
  return { line: rpcReply(id, { permissions, scope: "turn" }), ...(dropped.length === 0 ? {} : { dropped }) };
}
