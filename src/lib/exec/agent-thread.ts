const AGENT_THREAD = "agent:";

/** The thread of a task's agent: always loaded, and nobody's but the task's (decision 12). */
export function agentThread(taskId: string): string {
  return `${AGENT_THREAD}${taskId}`;
}

export function isAgentThread(threadId: string): boolean {
  return threadId.startsWith(AGENT_THREAD);
}
