/** How the processes under exec hosts fare when the daemon ends (exec-sessions.md 20.3). */
export type ExecEnding = "keep" | "terminate" | "restart";
