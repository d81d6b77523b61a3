// What a machine needs to join, for anybody: the agent, nssm.exe, and the installers, which are inside this program.
import installPs1 from "../../../deploy/install.ps1" with { type: "text" };
import installSh from "../../../deploy/install.sh" with { type: "text" };
import { findAgentProgram, findNssm, sha256Of } from "../../downloads/files.ts";
import type { Server } from "../../server.ts";
import type { Ctx } from "../context.ts";
import { sendFile } from "../send_file.ts";
import { type ApiRoute, apiRoute } from "./route.ts";

const PROGRAM = {
  200: { type: "application/octet-stream", description: "The program" },
  206: { type: "application/octet-stream", description: "The part of it that was asked for" },
  304: null,
  416: null,
};
const SUM = { 200: { type: "text/plain", description: "64 hex digits" } };

const agentFor = (server: Server, c: Ctx) =>
  findAgentProgram(server, c.req.query("os") ?? "", c.req.query("arch") ?? "");

/** Static: nothing of a request and no setting ever gets into a script. */
function script(path: string, text: string, summary: string): ApiRoute {
  return apiRoute({
    method: "GET",
    path,
    role: "public",
    summary,
    response: { 200: { type: "text/plain", description: "The script" } },
    handler: (_, c) => c.text(text, 200, { "Cache-Control": "no-cache" }),
  });
}

export const downloadRoutes: ApiRoute[] = [
  apiRoute({
    method: "GET",
    path: "/agent/binary",
    role: "public",
    summary: "The agent's program; X-Checksum-Sha256 is its SHA-256. Ranges are understood",
    query: ["os", "arch"],
    response: PROGRAM,
    handler: async (server, c) => {
      const file = await agentFor(server, c);
      return sendFile(c, file, await sha256Of(file));
    },
  }),
  apiRoute({
    method: "GET",
    path: "/agent/binary.sha256",
    role: "public",
    summary: "SHA-256 of that program, in hex",
    query: ["os", "arch"],
    response: SUM,
    handler: async (server, c) => c.text(`${await sha256Of(await agentFor(server, c))}\n`),
  }),
  script("/install/install.sh", installSh, "Installs the agent on Linux"),
  script("/install/install.ps1", installPs1, "Installs the agent on Windows"),
  apiRoute({
    method: "GET",
    path: "/install/nssm.exe",
    role: "public",
    summary: "NSSM, which runs the agent as a service on Windows",
    response: PROGRAM,
    handler: async (server, c) => {
      const file = await findNssm(server);
      return sendFile(c, file, await sha256Of(file));
    },
  }),
  apiRoute({
    method: "GET",
    path: "/install/nssm.exe.sha256",
    role: "public",
    summary: "SHA-256 of nssm.exe, in hex",
    response: SUM,
    handler: async (server, c) => c.text(`${await sha256Of(await findNssm(server))}\n`),
  }),
];
