// One of several processes that use a rollout index at once; what it does is its first argument:
//   open     opens (makes, migrates, fills), prints what its own pass read and all threads it sees, closes
//   fill     the same, but is slow: it pauses after every batch, and says when it has written the first one
//   hold     becomes the writer, says so, and stays until it is killed
import { openDatabase, systemClock } from "../../../../src/lib/platform/index.ts";
import { silentLogger } from "../../../../src/lib/platform/logger.ts";
import { indexFile } from "../../../../src/lib/state/files.ts";
import { openIndex } from "../../../../src/lib/state/index-db/open.ts";
import { becomeWriter } from "../../../../src/lib/state/index-db/writer.ts";
import { everything } from "../../../support/index-db.ts";

const [what = "", stateDir = "", userHome = "", waitMs = "30000"] = process.argv.slice(2);
const places = { userHome, workspacesRoot: "", extra: [] };
const common = { stateDir, version: "1.0.0", clock: systemClock, logger: silentLogger, places, waitMs: Number(waitMs) };
const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);

if (what === "open" || what === "fill") {
  let read = 0;
  let batches = 0;
  try {
    const index = await openIndex({
      ...common,
      onFilled: (stats) => (read = stats.upserted),
      onProgress: (stats) => {
        batches += 1;
        if (what !== "fill") return;
        if (batches === 1) say({ written: stats.upserted });
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
      },
    });
    const { sessions } = await index.list(everything());
    say({ read, threads: sessions.map((row) => row.thread_id), schema: (await index.status()).schema });
    await index.close();
  } catch (error) {
    say({ error: (error as { code?: string }).code, text: String(error) });
  }
} else if (what === "hold") {
  const db = openDatabase(indexFile(stateDir));
  await becomeWriter({ db, clock: systemClock, holder: "the holder" });
  say({ holding: true });
}
