// A repository as machines see it, for the server's tests: what is in it, and agents that back up to it, list it and claim.
import { newId } from "../../shared/new_id.ts";
import { FakeAgent, type JoinedHost, joinHost } from "./fake_agent.ts";
import type { TestServer } from "./start_server.ts";
import type { ForgetOrder } from "../../shared/job_kinds/forget.ts";

export interface FakeSnapshot {
  id: string;
  time: number;
  hostname: string;
  tags: string[];
  paths?: string[];
  files?: number | null;
  bytes?: number | null;
}

export class FakeRepository {
  snapshots: FakeSnapshot[] = [];

  add(snapshot: Partial<FakeSnapshot>): FakeSnapshot {
    const added = {
      id: randomId(),
      time: Date.now(),
      hostname: "x",
      tags: ["default"],
      ...snapshot,
    };
    this.snapshots.push(added);
    return added;
  }
}

export const randomId = () => crypto.getRandomValues(new Uint8Array(32)).toHex();

const listed = (
  { id, time, hostname, tags, paths = ["/home"], files = 10, bytes = 1000 }: FakeSnapshot,
) => ({
  id,
  time,
  tags,
  paths,
  hostname,
  username: "root",
  parent: null,
  files,
  bytes,
  bytes_added: 100,
});

export const SUMMARY = {
  files_new: 1,
  files_changed: 1,
  files_unmodified: 98,
  bytes_added: 100,
  bytes_processed: 100_000,
  seconds: 1,
};

/** A host whose agent does what it should, unless it is told to lie. */
export class Machine {
  agent!: FakeAgent;
  groupId!: string;
  /** What the machine's own clock is ahead of the server's. */
  clockAhead = 0;

  private constructor(
    readonly test: TestServer,
    readonly repository: FakeRepository,
    readonly host: JoinedHost,
    readonly name: string,
  ) {}

  static async join(
    test: TestServer,
    repository: FakeRepository,
    name: string,
    repositoryId?: string,
  ): Promise<Machine> {
    const host = await joinHost(test, name, repositoryId ? { id: repositoryId } : {});
    const machine = new Machine(test, repository, host, name);
    await machine.connect();
    const init = await machine.agent.next("command.run");
    machine.agent.started(init.job_id);
    machine.list();
    await machine.agent.acknowledged(machine.agent.finished(init.job_id, { created: true }));
    const groups = await test.api("olive", "GET", `/api/hosts/${host.hostId}/source-groups`);
    machine.groupId = groups.body.items[0].id;
    return machine;
  }

  get now(): number {
    return this.test.server.now() + this.clockAhead;
  }

  async connect(): Promise<void> {
    this.agent = await FakeAgent.connect(this.test.url, this.host.bearer, { clock: this.now });
  }

  async away(): Promise<void> {
    await this.agent.close();
    const { hostId } = this.host;
    while (this.test.server.agents.isOnline(hostId)) await new Promise((r) => setTimeout(r, 5));
  }

  /** Hands in the list of its own snapshots. */
  list(snapshots = this.repository.snapshots.filter(({ hostname }) => hostname === this.name)) {
    return this.#send(snapshots, {});
  }

  listWhole(job_id: string, snapshots = this.repository.snapshots) {
    return this.#send(snapshots, { whole: true, job_id });
  }

  #send(snapshots: FakeSnapshot[], more: Record<string, unknown>): number {
    return this.agent.report({
      type: "snapshots.report",
      repository_id: this.host.repositoryId,
      report_id: newId(),
      taken_at: this.now,
      part: 1,
      parts: 1,
      snapshots: snapshots.map(listed),
      ...more,
    });
  }

  /** A backup that a person ordered; returns its snapshot. */
  async backup(more: Partial<FakeSnapshot> = {}, result: Record<string, unknown> = {}) {
    const { body } = await this.test.api("olive", "POST", `/api/hosts/${this.host.hostId}/jobs`, {
      kind: "backup",
      source_group_id: this.groupId,
    });
    const order = await this.agent.next("command.run", ({ job_id }) => job_id === body.job_id);
    const tag = order.source_group!.snapshot_tag!;
    return await this.run(body.job_id, {}, { tags: [tag], ...more }, result);
  }

  /** A run that its own clock started, as its schedule says. */
  async scheduled(scheduleId: string, at: number, more: Partial<FakeSnapshot> = {}) {
    const origin = {
      kind: "backup",
      repository_id: this.host.repositoryId,
      schedule_id: scheduleId,
      source_group_id: this.groupId,
      source_group_name: "default",
      scheduled_at: at,
      catch_up: false,
      attempt: 1,
    };
    return await this.run(newId(), { origin, at }, more);
  }

  /** Started, listed, finished. */
  async run(
    jobId: string,
    begun: { origin?: unknown; at?: number },
    more: Partial<FakeSnapshot> = {},
    result: Record<string, unknown> = {},
  ): Promise<FakeSnapshot & { jobId: string }> {
    const at = begun.at ?? this.now;
    this.begin(jobId, { ...begun, at });
    const snapshot = this.repository.add({ hostname: this.name, time: at, ...more });
    this.list();
    await this.finish(jobId, snapshot.id, { ...begun, at, ...result });
    return { ...snapshot, jobId };
  }

  begin(jobId: string, begun: { origin?: unknown; at?: number } = {}): void {
    this.agent.report({
      type: "job.started",
      job_id: jobId,
      at: this.now,
      restic_version: "0.18.0",
      bandwidth_up_kib_per_s: null,
      bandwidth_down_kib_per_s: null,
      ...begun,
    });
  }

  async finish(jobId: string, snapshot_id: string, more: Record<string, unknown> = {}) {
    await this.agent.acknowledged(
      this.agent.finished(jobId, { at: this.now, summary: { ...SUMMARY, snapshot_id }, ...more }),
    );
  }

  async keep(retention: Record<string, unknown>): Promise<void> {
    const answer = await this.test.api(
      "olive",
      "PUT",
      `/api/hosts/${this.host.hostId}/source-groups/${this.groupId}`,
      { name: "default", includes: ["/home"], retention },
    );
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  }

  async schedule(cron: string): Promise<string> {
    const { body } = await this.test.api(
      "olive",
      "POST",
      `/api/hosts/${this.host.hostId}/schedules`,
      { cron, source_group_ids: [this.groupId] },
    );
    return body.id;
  }

  /** Starts a forget on this machine; returns what it is ordered to remove, and carries it out honestly. */
  async forget(
    input: Record<string, unknown> = {},
  ): Promise<{ orders: ForgetOrder[]; removed: string[] }> {
    const { body } = await this.test.api(
      "alice",
      "POST",
      `/api/repositories/${this.host.repositoryId}/jobs`,
      { kind: "forget", host_id: this.host.hostId, ...input },
    );
    const order = await this.agent.next("command.run", ({ job_id }) => job_id === body.job_id);
    this.begin(body.job_id);
    this.listWhole(body.job_id);
    const orders = order.forget ?? [];
    // As the agent does: only what has this host and these tags, and only where all that is to stay is there.
    const removed: string[] = [];
    const done = orders.map((each) => {
      const find = (id: string, place: { host: string; tags: string[] }) =>
        this.repository.snapshots.find((snapshot) =>
          snapshot.id.startsWith(id) && snapshot.hostname === place.host &&
          JSON.stringify(snapshot.tags) === JSON.stringify(place.tags)
        );
      const isRight = !each.held &&
        each.snapshots.every((place) =>
          [...place.keep, ...place.remove].every((id) => find(id, place))
        );
      if (isRight) removed.push(...each.snapshots.flatMap(({ remove }) => remove));
      return {
        source_group_id: each.source_group_id,
        tag: each.tag,
        host: each.host,
        done: isRight,
      };
    });
    this.repository.snapshots = this.repository.snapshots.filter(({ id }) => !removed.includes(id));
    this.listWhole(body.job_id);
    await this.agent.acknowledged(this.agent.finished(body.job_id, {
      forgotten: done.map((each) => ({ ...each, keep: 0, remove: 0, left: null })),
    }));
    return { orders, removed };
  }
}
