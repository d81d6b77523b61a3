// `./dev fault [part of a file's name …]`: bends clocks, cuts, kills, fills and damages what the real server, agent and restic
// live on, and prints what was done, expected and seen. Ends with 1 when a promise did not hold.
//
// One file per row of the list of faults (f01_ to f79_) and per kind (1_ clocks, 2_ leases, 3_ plans, 4_ damaged files, 5_ storage,
// 6_ streams, 7_ versions, 8_ hooks, 9_ small ones). `./dev soak` does it at random, for as long as it is told.
// The list of faults, and what shows each:
//
//   F01 f01 · F02, F03 f02 · F05 f05 · F06 f14 · F07 7_killed_in_a_migration · F08 f08 · F10 7_two_first_starts
//   F09 no route can be made to spin; a handler that answers no more: tests/server/listen_test.ts
//   F11, F12 f11 · F13 f13 · F14 f14 · F17 5_agents_disk_full · F19 f19 · F20 1_clocks · F21 f21 · F22 f22
//   F15 the service manager starts a new program beside nothing: tests/deploy/install_test.ts
//   F18 of the list of attacks: tests/attack/03_two_machines_test.ts
//   F23, F24 the agent has a cache of its own, and HOME where the service has none: tests/agent/restic/environment_test.ts
//   F25, F26, F27 f25 · F31 proxies: tests/deploy/proxy_test.ts · F32 nonsense, redirects: tests/agent/announce_test.ts, connection_test.ts
//   F30 1,000 agents: ./dev bench reconnect · F33 TLS ends at the proxy; certificates of storages: tests/agent/restic/refusals_test.ts
//   F34 6_live_streams · F35 f35 · F36 f36 · F37 f37 · F40 f40 · F41 f41 · F42 f42 · F44, F45 f44
//   F43 millions of lines: tests/server/quotas, ./dev bench removal
//   F47 f47 · F48 f48 · F49 changes to summer time: tests/shared/cron_test.ts · F50, F52 f47 · F51 f51
//   F53 each host has its own clock: tests/agent/timers_test.ts · F55 tests/shared/cron_test.ts
//   F56 f22 · F57, F58 f51 · F59 f59 · F60 f60 · F61 to F64 f59 · F65 f22 · F69 f22 · F70 f70
//   F68 long lists: tests/agent/restic/snapshots_test.ts, tests/server/quotas · F71 f71
//   F72 to F75, F77, F78 f72 · F79 root is bound by no limit of processes; what outlives a hook: 8_what_outlives_a_hook
//   F80 tests/windows, tests/agent/jobs/queue_test.ts · F81 tests/shared, tests/agent/jobs/cmd_script_test.ts
import { runTrials } from "./trials.ts";

Deno.exit(await runTrials("fault", "faults were survived"));
