// `./dev fault [part of a file's name …]`: bends clocks, cuts, kills, fills and damages what the real server, agent and restic
// live on, and prints what was done, expected and seen. Ends with 1 when a promise did not hold.
//
// One file per row of the list of faults (f01_ to f79_) and per kind (1_ clocks, 2_ leases, 3_ plans, 4_ damaged files, 5_ storage,
// 6_ streams, 7_ versions, 8_ hooks, 9_ small ones). `./dev soak` does it at random, for as long as it is told.
import { runTrials } from "./trials.ts";

Deno.exit(await runTrials("fault", "faults were survived"));
