// Puts a link to argv[3] in the place of the directory argv[2] and the directory back, as fast as it can.
import { renameSync, rmSync, symlinkSync } from "node:fs";

const [place, outside] = [process.argv[2] ?? "", process.argv[3] ?? ""];

function move(from: string, to: string): void {
  for (;;) {
    try {
      return renameSync(from, to);
    } catch {
      clear(to);
    }
  }
}

/** Somebody made the directory anew while it was away, and may be putting things into it. */
function clear(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // The next turn tries again.
  }
}

symlinkSync(outside, `${place}.link`);
process.stdout.write("ready\n");
for (;;) {
  move(place, `${place}.away`);
  move(`${place}.link`, place);
  move(place, `${place}.link`);
  move(`${place}.away`, place);
}
