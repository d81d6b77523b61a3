// Machines that are honest and have bad luck, over the real server: what physically writes in one repository is known here, whatever
// the server and the agents believe.
import assert from "node:assert/strict";
import { followClock } from "../../server/follow_clock.ts";
import { dispatchAll } from "../../server/jobs/dispatch.ts";
import { endLostJobs } from "../../server/jobs/reconcile.ts";
import { endTooLongWaits } from "../../server/jobs/wait.ts";
import { eventually } from "./eventually.ts";
import { FakeAgent, type JoinedHost, joinHost } from "./fake_agent.ts";
import type { TestServer } from "./start_server.ts";
import { isMaintenance, type JobKind, writesRepository } from "../../shared/job_kinds/all.ts";
import type { AnyOrder } from "./any_order.ts";

interface Work {
  job: AnyOrder;
  machine: Machine;
  /** Its agent was killed and reads it no more. */
  isOrphan: boolean;
}

export interface Machine extends JoinedHost {
  name: string;
  hostname: string;
  agent: FakeAgent | undefined;
  /** Frames of this connection that the agent has dealt with. */
  read: number;
  run: number;
  boot: number;
  /** Accepted and not begun: in memory, and in the ledger. */
  queue: AnyOrder[];
  work: Work | undefined;
  /** Ids of all that was ever accepted, unless the ledger was lost. */
  known: Set<string>;
  /** Ends that the server has not acknowledged. */
  journal: { id: string; status: "succeeded" | "interrupted" | "cancelled" }[];
  isLedgerLost: boolean;
  /** The agent's process is gone. */
  isDead: boolean;
}

const exclusive = (kind: JobKind) => kind === "init" || isMaintenance(kind);
let worlds = 0;

export class LeaseWorld {
  readonly machines: Machine[] = [];
  /** What writes there now, agents or not. */
  readonly works = new Set<Work>();
  /** What happened, in words. */
  done: string[] = [];
  readonly #presumed = new Set<string>();
  /** By an admin's word: from then on two may meet. */
  readonly #released = new Set<string>();
  #barrier = 0;
  #runs = 0;

  private constructor(readonly test: TestServer) {}

  static async make(test: TestServer, size = 3): Promise<LeaseWorld> {
    const world = new LeaseWorld(test);
    const name = `w${++worlds}`;
    const url = `rest:http://nas.example:8000/${name}/`;
    for (let n = 0; n < size; n++) {
      const first = world.machines[0];
      const host = await joinHost(
        test,
        `${name}-${"abc"[n]}`,
        first ? { id: first.repositoryId } : { name, url },
      );
      world.machines.push({
        ...host,
        name: "abc"[n]!,
        hostname: `${name}-${"abc"[n]}`,
        agent: undefined,
        read: 0,
        run: ++world.#runs,
        boot: 1,
        queue: [],
        work: undefined,
        known: new Set(),
        journal: [],
        isLedgerLost: false,
        isDead: false,
      });
    }
    await world.end();
    return world;
  }

  note(text: string): void {
    this.done.push(text);
  }

  /** All that is on its way has arrived and was dealt with, on both sides. */
  async settle(): Promise<void> {
    for (const machine of this.machines) {
      const [socket] = this.test.server.agents.of(machine.hostId);
      if (!machine.agent || !socket) continue;
      await socket.idle();
      const message = `barrier ${++this.#barrier}`;
      this.test.server.agents.send(machine.hostId, { type: "error", message });
      await machine.agent.next("error", (each) => each.message === message);
    }
  }

  /** The agent deals with what it was sent. */
  receive(machine: Machine): void {
    const { agent } = machine;
    if (!agent) return;
    for (; machine.read < agent.received.length; machine.read++) {
      const message = agent.received[machine.read]!;
      if (message.type === "command.run" && !machine.known.has(message.job_id)) {
        machine.known.add(message.job_id);
        machine.queue.push(message);
        this.note(`${machine.name} accepts ${message.kind} ${message.job_id.slice(-4)}`);
      }
      if (message.type === "command.cancel") this.#cancel(machine, message.job_id);
    }
  }

  #cancel(machine: Machine, jobId: string): void {
    if (machine.queue.some((each) => each.job_id === jobId)) {
      machine.queue = machine.queue.filter((each) => each.job_id !== jobId);
      machine.journal.push({ id: jobId, status: "cancelled" });
    } else if (machine.work?.job.job_id === jobId) this.#over(machine, "cancelled");
    this.#tell(machine);
  }

  /** The agent begins what is next: the moment in which two writers would meet. */
  begin(machine: Machine): void {
    if (machine.isDead || machine.work) return;
    const job = machine.queue.shift();
    if (!job) return;
    const work: Work = { job, machine, isOrphan: false };
    this.#check(work);
    machine.work = work;
    if (writesRepository(job.kind)) this.works.add(work);
    this.note(`${machine.name} begins ${job.kind} ${job.job_id.slice(-4)}`);
    machine.agent?.started(job.job_id);
  }

  #check({ job, machine }: Work): void {
    if (!writesRepository(job.kind) || this.#released.has(job.job_id)) return;
    for (const other of this.works) {
      if (this.#released.has(other.job.job_id)) continue;
      if (other.machine === machine && !other.isOrphan) continue;
      const both =
        `${machine.name} begins ${job.kind} while ${other.machine.name} is at ${other.job.kind}`;
      assert.ok(!(exclusive(job.kind) && exclusive(other.job.kind)), both);
      // A backup that was not heard of for a day once, or that a lost list hides, is left to restic's own lock.
      if (exclusive(other.job.kind)) assert.ok(other.machine === machine, both);
      else if (exclusive(job.kind)) {
        assert.ok(other.isOrphan || this.#presumed.has(other.job.job_id), both);
      }
    }
  }

  /** Backups that are at work although the server takes them for ended. */
  #notePresumed(): void {
    const status = this.test.server.database.sqlite.prepare("select status from jobs where id = ?");
    for (
      const { machine, work, queue } of this.machines.map((machine) => ({ machine, ...machine }))
    ) {
      for (const { job_id } of [...queue, ...work ? [work.job] : []]) {
        if (status.get(job_id)?.status !== "interrupted") continue;
        this.#presumed.add(job_id);
        this.note(`${machine.name}'s ${job_id.slice(-4)} is presumed to have ended`);
      }
    }
  }

  finish(machine: Machine): void {
    if (machine.isDead || !machine.work) return;
    this.note(`${machine.name} ends ${machine.work.job.kind}`);
    this.#over(machine, "succeeded");
    this.#tell(machine);
  }

  #over(machine: Machine, status: "succeeded" | "cancelled"): void {
    const work = machine.work!;
    machine.work = undefined;
    this.works.delete(work);
    machine.journal.push({ id: work.job.job_id, status });
  }

  #tell(machine: Machine): void {
    if (!machine.agent || machine.agent.closed) return;
    for (const { id, status } of machine.journal) machine.agent.finished(id, { status });
    machine.journal = [];
  }

  async cut(machine: Machine): Promise<void> {
    const { agent } = machine;
    if (!agent) return;
    machine.agent = undefined;
    await agent.close();
    await eventually("offline", () => !this.test.server.agents.isOnline(machine.hostId));
    this.note(`${machine.name} is cut off`);
  }

  /** kill -9: what it started goes on, without anybody who reads it. */
  async kill(machine: Machine, losesLedger: boolean): Promise<void> {
    await this.cut(machine);
    if (machine.isDead) return;
    machine.isDead = true;
    if (machine.work) machine.work.isOrphan = true;
    if (losesLedger) {
      machine.isLedgerLost = true;
      machine.known.clear();
      machine.queue = [];
      machine.work = undefined;
    }
    this.note(`${machine.name} is killed${losesLedger ? " and loses its ledger" : ""}`);
  }

  /** Everything that ran there has ended. */
  async reboot(machine: Machine): Promise<void> {
    await this.kill(machine, false);
    for (const work of [...this.works]) if (work.machine === machine) this.works.delete(work);
    machine.boot++;
    machine.isLedgerLost = false;
    this.note(`${machine.name} is started anew`);
  }

  /** An orphan that nobody knows of ends by itself. */
  endOrphan(machine: Machine): void {
    for (const work of [...this.works]) {
      if (work.machine !== machine || machine.work === work) continue;
      this.works.delete(work);
      this.note(`an orphan of ${machine.name} ends`);
    }
  }

  async rejoin(machine: Machine): Promise<void> {
    if (machine.agent) return;
    if (machine.isDead) this.#startAgent(machine);
    machine.read = 0;
    machine.agent = await FakeAgent.connect(this.test.url, machine.bearer, {
      instance: machine.run.toString(16).padStart(32, "0"),
      boot_id: `boot ${machine.boot}`,
      ...(machine.isLedgerLost ? { ledger_lost: true } : {}),
      jobs: [
        ...machine.queue.map(({ job_id }) => job_id),
        ...(machine.work ? [machine.work.job.job_id] : []),
        ...machine.journal.map(({ id }) => id),
      ],
    });
    this.note(`${machine.name} rejoins`);
    if (machine.work) machine.agent.started(machine.work.job.job_id);
    this.#tell(machine);
  }

  /** As the agent does: what its ledger names is killed and answered for. */
  #startAgent(machine: Machine): void {
    machine.isDead = false;
    machine.run = ++this.#runs;
    if (machine.work) {
      this.works.delete(machine.work);
      machine.journal.push({ id: machine.work.job.job_id, status: "interrupted" });
      machine.work = undefined;
    }
    for (const { job_id } of machine.queue) {
      machine.journal.push({ id: job_id, status: "interrupted" });
    }
    machine.queue = [];
  }

  async order(machine: Machine, kind: "backup" | "check" | "init"): Promise<void> {
    const path = `/api/hosts/${machine.hostId}`;
    const { status } = kind === "init"
      ? await this.test.api("alice", "POST", `${path}/repo/reinit`, {
        confirm_hostname: machine.hostname,
      })
      : await this.test.api("alice", "POST", `${path}/jobs`, { kind });
    this.note(`${kind} on ${machine.name}: ${status}`);
  }

  /** An admin says that its work is over, whether or not it is. */
  async release(machine: Machine): Promise<void> {
    const held = this.test.server.database.sqlite
      .prepare("select job_id from leases join jobs on jobs.id = job_id where host_id = ?")
      .all(machine.hostId).map(({ job_id }) => String(job_id));
    const path = `/api/repositories/${machine.repositoryId}/lease/release`;
    const { status } = await this.test.api("alice", "POST", path, {
      confirm_hostname: machine.hostname,
    });
    for (const id of held) this.#released.add(id);
    this.note(`the lease of ${machine.name} is released: ${status}`);
  }

  /** Time passes while the server runs; anyone who is connected is heard of. */
  async pass(minutes: number): Promise<void> {
    for (let left = minutes; left > 0; left -= 30) {
      this.test.clock.pass(Math.min(left, 30) * 60_000);
      await this.look();
    }
    this.note(`${minutes} minutes pass`);
  }

  async setClock(hours: number): Promise<void> {
    this.test.clock.wall = hours * 3_600_000;
    await this.look();
    this.note(`the clock is set to ${hours} h`);
  }

  /** What the server does by the clock. */
  async look(): Promise<void> {
    for (const agent of this.test.server.agents) agent.heardRan = this.test.server.clock.ran();
    await followClock(this.test.server);
    await endLostJobs(this.test.server);
    await endTooLongWaits(this.test.server);
    this.#notePresumed();
    await dispatchAll(this.test.server);
  }

  /** Everybody comes back and works on: then nothing waits and nobody holds anything. */
  async end(): Promise<void> {
    for (const machine of this.machines) {
      // Only a boot shows that nothing runs of what a lost list does not name.
      if (machine.isLedgerLost) await this.reboot(machine);
      this.endOrphan(machine);
      await this.rejoin(machine);
    }
    for (let round = 0; round < 40; round++) {
      await this.settle();
      for (const machine of this.machines) {
        this.receive(machine);
        this.begin(machine);
        this.finish(machine);
      }
      await this.settle();
      if (round >= 2 && this.open().length === 0 && this.leases() === 0) break;
      await this.pass(round < 10 ? 0 : 60);
    }
    assert.deepEqual(this.open(), []);
    assert.equal(this.leases(), 0, "a lease without work");
  }

  open(): string[] {
    const hosts = this.machines.map(({ hostId }) => `'${hostId}'`).join();
    return this.test.server.database.sqlite.prepare(
      `select kind, status from jobs where host_id in (${hosts}) and status in ('queued', 'running')`,
    ).all().map(({ kind, status }) => `${kind} ${status}`);
  }

  leases(): number {
    const hosts = this.machines.map(({ hostId }) => `'${hostId}'`).join();
    return Number(
      this.test.server.database.sqlite.prepare(
        `select count(*) as n from leases join jobs on jobs.id = job_id where host_id in (${hosts})`,
      ).get()!.n,
    );
  }

  async close(): Promise<void> {
    for (const machine of this.machines) await machine.agent?.close();
  }
}
