import { z } from "zod";
import { absolutePath } from "../../../shared/fields.ts";
import { fleetSummary } from "../../hosts/fleet.ts";
import { BandwidthInput, setBandwidth } from "../../hosts/bandwidth.ts";
import { DefaultHooksInput, getDefaultHooks, setDefaultHooks } from "../../hooks/defaults.ts";
import { reinitialise, ReinitialiseInput } from "../../jobs/reinitialise.ts";
import { changeHost, HostChange } from "../../hosts/change.ts";
import { getHost, listHosts } from "../../hosts/find.ts";
import { listFolder } from "../../hosts/folders.ts";
import { chooseInstance, InstanceChoice, listInstances } from "../../hosts/choose_instance.ts";
import { dismissAgentProblems } from "../../hosts/agent_problems.ts";
import { resumeHost } from "../../hosts/resume.ts";
import { listSnapshots } from "../../snapshots/find.ts";
import { pathId, readJson, readOneOf, readPage, readQuery } from "../body.ts";
import { actorOf } from "../context.ts";
import { fleetShape, hostShape, startedShape, withIsoTimes } from "./shapes.ts";
import { type ApiRoute, apiRoute } from "./route.ts";
import { SnapshotList } from "../../../shared/shapes/snapshot.ts";
import { StartedJob } from "../../../shared/shapes/job.ts";
import { Folder } from "../../../shared/shapes/folder.ts";
import { DefaultHooks } from "../../../shared/shapes/hooks.ts";
import { listOf } from "../../../shared/shapes/list.ts";
import { FleetSummary, Host, HOST_STATES, HostInstance } from "../../../shared/shapes/host.ts";
import { testHook, TestHookInput } from "../../jobs/test_hook.ts";
import { HostSnapshotsChoice, removeHost } from "../../retention/remove_host.ts";

const STATES = [...HOST_STATES, "offline", "attention"] as const;
const FolderQuery = z.object({ path: absolutePath });
const SORTS = ["name", "worst", "last_backup"] as const;

export const hostRoutes: ApiRoute[] = [
  apiRoute({
    method: "GET",
    path: "/api/fleet/summary",
    role: "viewer",
    summary: "How many hosts are in which state, and those that need someone, the worst first",
    response: { 200: FleetSummary },
    handler: async (server) => fleetShape(await fleetSummary(server)),
  }),
  apiRoute({
    method: "GET",
    path: "/api/hosts",
    role: "viewer",
    summary: "All hosts",
    query: ["search", "state", "tag", "sort", "limit", "cursor"],
    response: { 200: listOf(Host, { total: z.number() }) },
    handler: async (server, c) => {
      const { items, ...page } = await listHosts(server, {
        search: c.req.query("search"),
        state: readOneOf(c, "state", STATES),
        tag: c.req.query("tag"),
        sort: readOneOf(c, "sort", SORTS),
      }, readPage(c));
      return { items: items.map(hostShape), ...page };
    },
  }),
  apiRoute({
    method: "GET",
    path: "/api/hosts/:id",
    role: "viewer",
    summary: "One host",
    response: { 200: Host },
    handler: async (server, c) => hostShape(await getHost(server, pathId(c, "id"))),
  }),
  apiRoute({
    method: "PATCH",
    path: "/api/hosts/:id",
    role: "operator",
    summary: "Changes name, tags, time zone or repository",
    body: HostChange,
    response: { 200: Host },
    handler: async (server, c) => {
      const hostId = pathId(c, "id");
      await changeHost(server, actorOf(c), hostId, await readJson(c, HostChange));
      return hostShape(await getHost(server, hostId));
    },
  }),
  apiRoute({
    method: "DELETE",
    path: "/api/hosts/:id",
    role: "admin",
    summary:
      "Removes the host and ends its connection; its snapshots stay, to be decided upon (ask), for good (keep), or are forgotten by another host (forget: answers 202 with the job)",
    query: ["snapshots"],
    response: { 202: StartedJob, 204: null },
    handler: async (server, c) => {
      const choice = readQuery(c, HostSnapshotsChoice);
      const jobId = await removeHost(server, actorOf(c), pathId(c, "id"), choice);
      if (jobId) return startedShape(c, jobId);
    },
  }),
  apiRoute({
    method: "POST",
    path: "/api/hosts/:id/resume",
    role: "operator",
    summary:
      "Says that the data of a machine that joined again is restored: its schedules and its retention go on",
    response: { 200: Host },
    handler: async (server, c) => {
      const hostId = pathId(c, "id");
      await resumeHost(server, actorOf(c), hostId);
      return hostShape(await getHost(server, hostId));
    },
  }),
  apiRoute({
    method: "POST",
    path: "/api/hosts/:id/problems/dismiss",
    role: "operator",
    summary:
      "Says that a person has seen which files of the agent were damaged (agent_problems of kind state_damaged); what still lasts stays",
    response: { 200: Host },
    handler: async (server, c) => {
      const hostId = pathId(c, "id");
      await dismissAgentProblems(server, actorOf(c), hostId);
      return hostShape(await getHost(server, hostId));
    },
  }),
  apiRoute({
    method: "GET",
    path: "/api/hosts/:id/instances",
    role: "operator",
    summary: "The machines that use the host's identity while that is in doubt; else none",
    response: { 200: listOf(HostInstance) },
    handler: async (server, c) => {
      const items = await listInstances(server, pathId(c, "id"));
      return withIsoTimes({ items, next_cursor: null });
    },
  }),
  apiRoute({
    method: "POST",
    path: "/api/hosts/:id/instances/choose",
    role: "admin",
    summary:
      "Says which of two machines with one identity is right: it gets a new bearer, the other is closed",
    body: InstanceChoice,
    response: { 200: Host },
    handler: async (server, c) => {
      const hostId = pathId(c, "id");
      await chooseInstance(server, actorOf(c), hostId, await readJson(c, InstanceChoice));
      return hostShape(await getHost(server, hostId));
    },
  }),
  apiRoute({
    method: "GET",
    path: "/api/hosts/:id/folders",
    role: "operator",
    summary:
      "Names and types of what lies in the folder ?path= of the host (folder, file, link, other; links are not followed), asked of its agent now. Below approved_roots except for admins; one folder of a host at a time. At most 10000 entries: cut says that there are more, not_text how many names are not UTF-8 and left out. Errors beside the usual: not_found with the field path, 502 agent_failed, 503 agent_offline, 504 agent_timeout after 15 seconds",
    query: ["path"],
    response: { 200: Folder },
    handler: async (server, c) => {
      const { path } = readQuery(c, FolderQuery);
      const asked = { path, signal: c.req.raw.signal };
      return await listFolder(server, actorOf(c), pathId(c, "id"), asked);
    },
  }),
  apiRoute({
    method: "PUT",
    path: "/api/hosts/:id/bandwidth",
    role: "operator",
    summary: "Sets the host's limits in KiB/s, null for none; they hold for its own schedules too",
    body: BandwidthInput,
    response: { 200: Host },
    handler: async (server, c) => {
      const hostId = pathId(c, "id");
      await setBandwidth(server, actorOf(c), hostId, await readJson(c, BandwidthInput));
      return hostShape(await getHost(server, hostId));
    },
  }),
  apiRoute({
    method: "GET",
    path: "/api/hosts/:id/hooks",
    role: "operator",
    summary: "The hooks for those of its source groups that have none of their own",
    response: { 200: DefaultHooks },
    handler: async (server, c) => await getDefaultHooks(server, pathId(c, "id")),
  }),
  apiRoute({
    method: "PUT",
    path: "/api/hosts/:id/hooks",
    role: "admin",
    summary: "Sets the default hooks; null clears one, absent keeps it",
    body: DefaultHooksInput,
    response: { 200: DefaultHooks },
    handler: async (server, c) => {
      const hostId = pathId(c, "id");
      await setDefaultHooks(server, actorOf(c), hostId, await readJson(c, DefaultHooksInput));
      return await getDefaultHooks(server, hostId);
    },
  }),
  apiRoute({
    method: "POST",
    path: "/api/hosts/:id/hooks/try",
    role: "admin",
    summary: "Runs a saved hook alone, as a job; without source_group_id the host's default one",
    body: TestHookInput,
    response: { 202: StartedJob },
    handler: async (server, c) => {
      const id = await testHook(
        server,
        actorOf(c),
        pathId(c, "id"),
        await readJson(c, TestHookInput),
      );
      return startedShape(c, id);
    },
  }),
  apiRoute({
    method: "POST",
    path: "/api/hosts/:id/repo/reinit",
    role: "admin",
    summary:
      "Makes a new repository where the old one was cleared by hand; confirm_hostname is the host's name",
    body: ReinitialiseInput,
    response: { 202: StartedJob },
    handler: async (server, c) => {
      const { confirm_hostname } = await readJson(c, ReinitialiseInput);
      const id = await reinitialise(server, actorOf(c), pathId(c, "id"), confirm_hostname);
      return startedShape(c, id);
    },
  }),
  apiRoute({
    method: "GET",
    path: "/api/hosts/:id/snapshots",
    role: "viewer",
    summary: "The host's snapshots as its agent listed them at refreshed_at",
    query: ["limit", "cursor"],
    response: { 200: SnapshotList },
    handler: async (server, c) =>
      withIsoTimes(await listSnapshots(server, pathId(c, "id"), readPage(c))),
  }),
];
