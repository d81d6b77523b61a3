// The fleet of a soak: a server and agents as real processes, each with a network, a wall clock and, for some, a small disk of
// its own, and what happened to them.
import { join } from "node:path";
import { folderKey } from "../../agent/jobs/process_mark.ts";
import { eventually } from "../support/eventually.ts";
import { Fleet, type Program } from "../support/programs.ts";
import { memoryOf } from "../support/proc.ts";
import { missingRestServer, type RestServer, startRestServer } from "../support/rest_server.ts";
import { restics } from "../support/restic.ts";
import { Wire } from "../support/wire.ts";
import { CountedRepository } from "./restics.ts";
import { smallDisk } from "../support/small_disk.ts";

export const CANARY = "canary-of-the-soak-8264";
const HOOK_CANARY = "canary-of-a-hook-9173";
export const SECRETS = { password: CANARY, hook: HOOK_CANARY };

export interface SoakHost {
  name: string;
  id: string;
  groupId: string;
  repositoryId: string;
  scheduleId: string;
  restic: string;
  isFake: boolean;
  wire: Wire;
  stateDir: string;
  /** The file that says how far its wall clock is ahead. */
  clockFile: string;
  /** Where its state folder is a small disk. */
  disk: string | undefined;
  /** Its process is killed, frozen or on its way back. */
  isBusy: boolean;
}

interface Shared {
  id: string;
  url: string;
  counted: CountedRepository;
}

export interface WorldOptions {
  agents: number;
  print: (text: string) => void;
}

export class World implements AsyncDisposable {
  readonly hosts: SoakHost[] = [];
  readonly events: string[] = [];
  /** Every process that ever ran, by what it is. */
  readonly programs: { name: string; program: Program }[] = [];
  /** What ended although nobody ended it. */
  readonly died: string[] = [];
  readonly counts = new Map<string, number>();
  readonly memory: { at: number; server: number; agents: number }[] = [];
  isServerBusy = false;
  serverDisk: string | undefined;
  fakes!: Shared;
  reals: Shared[] = [];
  readonly #mends = new Set<() => Promise<void>>();
  readonly #began = performance.now();
  readonly #told = new WeakSet<Program>();
  readonly #stack = new AsyncDisposableStack();

  private constructor(readonly fleet: Fleet, private readonly print: (text: string) => void) {}

  static async make({ agents, print }: WorldOptions): Promise<World> {
    await using stack = new AsyncDisposableStack();
    // Before the fleet, so that they go after it.
    const disks = stack.use(new AsyncDisposableStack());
    const disk = await mounted(96, disks);
    const clock = await Deno.makeTempFile({ prefix: "rm-clock-" });
    stack.defer(() => Deno.remove(clock));
    const fleet = stack.use(
      await Fleet.start({
        RM_TEST_CLOCK: clock,
        RM_DISK_RESERVE: "8MiB",
        RM_HANDSHAKES_PER_MINUTE: "600",
        ...(disk ? { RM_DATA_DIR: join(disk, "data") } : {}),
      }),
    );
    const world = new World(fleet, print);
    world.serverDisk = disk;
    world.serverClockFile = clock;
    world.#watch("server", fleet.server);
    if (!disk) world.note("no small disk can be mounted here: no disk fills up in this soak");
    const rest = missingRestServer
      ? undefined
      : stack.use(await startRestServer(join(fleet.folder, "rest")));
    await world.#makeRepositories(rest);
    await world.#joinAll(agents, stack, disks);
    world.#stack.use(stack.move());
    return world;
  }

  serverClockFile = "";

  get elapsed(): number {
    return performance.now() - this.#began;
  }

  note(text: string): void {
    const line = `${(this.elapsed / 1000).toFixed(1).padStart(6)} s  ${text}`;
    this.events.push(line);
    this.print(line);
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  /** Done after this long, or at the end of the soak at the latest. */
  mendLater(ms: number, mend: () => Promise<void> | void): void {
    let done: Promise<void> | undefined;
    const once = () =>
      done ??= (async () => {
        clearTimeout(timer);
        try {
          await mend();
        } catch (error) {
          this.died.push(`not mended: ${(error as Error).message}`);
        }
        this.#mends.delete(once);
      })();
    const timer = setTimeout(once, ms);
    this.#mends.add(once);
  }

  async mendAll(): Promise<void> {
    await Promise.all([...this.#mends].map((mend) => mend()));
  }

  /** Its end is someone's doing from here on. */
  tell(program: Program): void {
    this.#told.add(program);
  }

  startAgent(host: SoakHost, env: Record<string, string> = {}): void {
    this.#watch(
      host.name,
      this.fleet.startAgent(host.name, { ...environmentOf(host), ...env }),
    );
  }

  /** Again and again: with a full disk it may not come up. */
  async startServer(): Promise<void> {
    for (let tries = 1; tries <= 30; tries++) {
      try {
        await this.fleet.startServer();
        this.#watch("server", this.fleet.server);
        return;
      } catch {
        await this.fleet.server.end("SIGKILL");
        this.programs.push({ name: "server", program: this.fleet.server });
        const said = this.fleet.server.printed().trim().split("\n").at(-1);
        this.note(`the server did not start: ${said}`);
      }
    }
    throw new Error("The server does not start any more.");
  }

  #watch(name: string, program: Program): void {
    this.programs.push({ name, program });
    program.ended.then((code) => {
      if (this.#told.has(program)) return;
      this.died.push(`${name} ended by itself with ${code}`);
      this.note(`${name} ended by itself with ${code}`);
    });
  }

  sampleMemory(): void {
    try {
      const agents = this.hosts.map(({ name }) => memoryOf(this.fleet.agent(name).pid));
      const all = agents.reduce((sum, each) => sum + each, 0);
      const server = memoryOf(this.fleet.server.pid);
      // One that has just been killed has none.
      if (!Number.isFinite(all + server)) return;
      this.memory.push({ at: this.elapsed, server, agents: all / agents.length });
    } catch {
      // One of them is just gone: this sample is left out.
    }
  }

  async #makeRepositories(rest: RestServer | undefined): Promise<void> {
    const make = async (name: string, url: string, is_new: boolean): Promise<Shared> => {
      const { id } = await this.fleet.api("POST", "/api/repositories", {
        name,
        url,
        password: CANARY,
        is_new,
      });
      await this.fleet.api("PUT", `/api/repositories/${id}/admin-credential`, { everyday: true });
      return { id, url, counted: new CountedRepository(join(this.fleet.folder, name)) };
    };
    // Nothing listens there: a fake restic pretends what is in it.
    this.fakes = await make("fakes", "rest:http://127.0.0.1:9/fakes/", false);
    if (restics.length === 0) return;
    this.reals.push(await make("local", join(this.fleet.folder, "repository"), true));
    if (rest) this.reals.push(await make("rest-server", `${rest.url}shared/`, true));
    else this.note(`no REST server: ${missingRestServer}`);
  }

  /** Two of five have a real restic, one of five a small disk. */
  async #joinAll(
    count: number,
    stack: AsyncDisposableStack,
    disks: AsyncDisposableStack,
  ): Promise<void> {
    for (let n = 0; n < count; n++) {
      const disk = n % 5 === 2 ? await mounted(4, disks) : undefined;
      this.hosts.push(this.#newHost(n, stack, disk));
    }
    for (let n = 0; n < count; n += 5) {
      await Promise.all(this.hosts.slice(n, n + 5).map((host) => this.#join(host)));
    }
    for (const { id } of [this.fakes, ...this.reals]) {
      const host_ids = this.hosts.filter(({ repositoryId }) => repositoryId === id)
        .map((host) => host.id);
      await this.fleet.api("PUT", `/api/repositories/${id}/maintenance`, { host_ids });
    }
  }

  #newHost(n: number, stack: AsyncDisposableStack, disk: string | undefined): SoakHost {
    const name = `host-${n + 1}`;
    const real = n % 5 < 2 ? this.reals[n % 5 % Math.max(1, this.reals.length)] : undefined;
    const clockFile = join(this.fleet.folder, `${name}.clock`);
    Deno.writeTextFileSync(clockFile, "0");
    return {
      name,
      id: "",
      groupId: "",
      scheduleId: "",
      repositoryId: (real ?? this.fakes).id,
      restic: real
        ? real.counted.real(restics[Math.floor(n / 5) % restics.length]!)
        : this.fakes.counted.fake,
      isFake: !real,
      wire: stack.use(new Wire(Number(new URL(this.fleet.url).port))),
      stateDir: disk ? join(disk, "state") : join(this.fleet.folder, name, "state"),
      clockFile,
      disk,
      isBusy: false,
    };
  }

  async #join(host: SoakHost): Promise<void> {
    const { fleet } = this;
    const files = join(fleet.folder, `${host.name}-files`);
    await Deno.mkdir(files);
    await Deno.writeTextFile(join(files, "file"), crypto.randomUUID().repeat(1000));
    const repository = { id: host.repositoryId };
    host.id = await fleet.join(host.name, repository, [files], environmentOf(host));
    this.#watch(host.name, fleet.agent(host.name));
    await fleet.repositoryReady(host.id);
    const groups = `/api/hosts/${host.id}/source-groups`;
    const [{ id }] = (await fleet.api("GET", groups)).items;
    host.groupId = id;
    await fleet.api("PUT", `${groups}/${id}`, groupOf(host, files, 5));
    const schedule = await fleet.api("POST", `/api/hosts/${host.id}/schedules`, {
      cron: "* * * * *",
      source_group_ids: [id],
    });
    host.scheduleId = schedule.id;
  }

  /** Edited, as a person would. */
  async edit(host: SoakHost, keep_last: number): Promise<void> {
    const files = join(this.fleet.folder, `${host.name}-files`);
    const path = `/api/hosts/${host.id}/source-groups/${host.groupId}`;
    await this.fleet.api("PUT", path, groupOf(host, files, keep_last));
  }

  async pauseSchedules(): Promise<void> {
    for (const { id, scheduleId, groupId } of this.hosts) {
      await this.fleet.api("PUT", `/api/hosts/${id}/schedules/${scheduleId}`, {
        cron: "* * * * *",
        enabled: false,
        source_group_ids: [groupId],
      });
    }
  }

  async allOnline(): Promise<void> {
    for (const { id, name } of this.hosts) {
      await eventually(
        `${name} is online`,
        async () => (await this.fleet.api("GET", `/api/hosts/${id}`)).online,
        90_000,
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { program } of this.programs) this.tell(program);
    await this.mendAll();
    await this.#stack.disposeAsync();
  }
}

/** The folder of a small disk, until the stack is disposed of; undefined where none can be mounted. */
async function mounted(
  megabytes: number,
  stack: AsyncDisposableStack,
): Promise<string | undefined> {
  const disk = stack.use(await smallDisk(megabytes));
  return disk.isSmall ? disk.folder : undefined;
}

function environmentOf(host: SoakHost): Record<string, string> {
  return {
    RM_SERVER: host.wire.url,
    RM_RESTIC: host.restic,
    RM_STATE_DIR: host.stateDir,
    RM_TEST_CLOCK: host.clockFile,
  };
}

function groupOf({ isFake }: SoakHost, files: string, keep_last: number) {
  return {
    name: "default",
    includes: [files],
    retention: isFake ? { keep_last } : {},
    retry_max: 1,
    retry_backoff_seconds: 10,
    pre_hook: `: ${HOOK_CANARY}\necho before`,
    post_hook: "echo after",
  };
}

/** For the fault "restic killed": what marks the processes of a host's jobs. */
export function keyOf({ stateDir }: SoakHost): string {
  return folderKey(stateDir);
}
