import { breakAndMend } from "../support/broken_storage.ts";
import { fill, missingSmallDisk, smallDisk } from "../support/small_disk.ts";
import { busyHost } from "../support/quotas.ts";
import { startServer } from "../support/start_server.ts";
import { fault } from "../support/trial.ts";
import { leaveOut } from "../support/left_out.ts";

const missing = await missingSmallDisk();
if (missing) {
  leaveOut("F36: a database without a byte of room says so, and recovers by itself", missing);
} else {
  fault({
    id: "F36",
    promise: "a database without a byte of room says so, and recovers by itself",
    done:
      "the disk of a server that keeps no reserve is filled to its last byte while an agent reports; then there is room again",
    expected:
      "503 storage_cannot_write with the reason for every change, pages with a banner, nothing acknowledged; all of it is over within seconds",
  }, async (see) => {
    await using disk = await smallDisk(24);
    const dataDir = `${disk.folder}/data`;
    await using test = await startServer({ dataDir, env: { RM_DISK_RESERVE: "0" } });
    const host = await busyHost(test, "alpha");
    await breakAndMend(test, host, {
      reason: /its disk is full/,
      breakIt: async () => {
        // An empty journal has no room of its own that could be used again.
        test.server.database.sqlite.prepare("pragma wal_checkpoint(truncate)").get();
        await fill(disk.folder);
        return () => Deno.remove(`${disk.folder}/filler`);
      },
    }, see);
    await host.agent.close();
  });
}
