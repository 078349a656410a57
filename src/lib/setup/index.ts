export { type EmbeddedOptions, type EmbeddedReport, setupEmbedded } from "./embedded.ts";
export type { SetupEvent, StageTime } from "./events.ts";
export { type QuickstartOptions, type QuickstartReport, quickstart } from "./quickstart/index.ts";
