import { authCheck } from "./auth.ts";
import type { Check } from "./check.ts";
import { configBlocksCheck, configModeCheck } from "./config-blocks.ts";
import { configFileCheck } from "./config-file.ts";
import { configResetCheck } from "./config-reset.ts";
import { copiesCheck } from "./copies.ts";
import { ENVIRONMENT_CHECKS } from "./environment.ts";
import { backupCheck, homeCheck } from "./leftovers.ts";
import { localCheck } from "./local.ts";
import { modelsCheck } from "./models.ts";
import { modesCheck } from "./modes.ts";
import { pluginsCheck } from "./plugins.ts";
import { referencedCheck } from "./referenced.ts";
import { sessionsCheck } from "./sessions.ts";
import { skillsCheck } from "./skills.ts";
import { rootStagingCheck, stagingCheck } from "./staging.ts";
import { tempCheck } from "./temp.ts";
import { checkoutsCheck, worktreeCheck } from "./worktrees.ts";

/** All checks, in the order in which their repairs depend on each other (execenv.md 7.10). */
export const CHECKS: readonly Check[] = [
  ...ENVIRONMENT_CHECKS,
  localCheck,
  worktreeCheck,
  checkoutsCheck,
  rootStagingCheck,
  homeCheck,
  modesCheck,
  backupCheck,
  stagingCheck,
  sessionsCheck,
  authCheck,
  copiesCheck,
  configFileCheck,
  configResetCheck,
  configBlocksCheck,
  configModeCheck,
  referencedCheck,
  modelsCheck,
  pluginsCheck,
  skillsCheck,
  tempCheck,
];
