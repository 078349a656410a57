// Beside the schemas: commands need the words without the schema library.
export const PROJECT_STATUSES = ["planned", "in_progress", "paused", "completed", "cancelled"] as const;
