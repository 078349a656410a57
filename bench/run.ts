// `npm run bench [-- name…]`: one JSON line a figure. A figure over its budget is shown as such; the exit code stays 0,
// because a busy machine is no defect. Compare ratios, not milliseconds.
import { daemonFigures } from "./daemon.ts";
import { execFigures } from "./exec.ts";
import { execenvFigures } from "./execenv.ts";
import { housekeepingFigures } from "./housekeeping.ts";
import type { Figure } from "./figures.ts";
import { outboxFigures } from "./outbox.ts";
import { indexFigures } from "./index.ts";
import { repoFigures } from "./repos.ts";
import { startUp } from "./start-up.ts";
import { taskFigures } from "./tasks.ts";

const benches: Record<string, () => Promise<Figure[]>> = { "start-up": startUp, daemon: daemonFigures, tasks: taskFigures, exec: execFigures, outbox: outboxFigures, execenv: execenvFigures, housekeeping: housekeepingFigures, index: indexFigures, repos: repoFigures };
const chosen = process.argv.slice(2);
for (const [name, run] of Object.entries(benches)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  for (const figure of await run()) process.stdout.write(`${JSON.stringify(figure)}\n`);
}
