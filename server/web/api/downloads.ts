// What a machine needs to join, for anybody: the agent, nssm.exe, and the installers, which are inside this program.
import installPs1 from "../../../deploy/install.ps1" with { type: "text" };
import installSh from "../../../deploy/install.sh" with { type: "text" };
import { findAgentProgram, findNssm, sha256Of } from "../../downloads/files.ts";
import type { Server } from "../../server.ts";
import type { Ctx } from "../context.ts";
import { sendFile } from "../send_file.ts";
import type { ApiRoute } from "./route.ts";

const agentFor = (server: Server, c: Ctx) =>
  findAgentProgram(server, c.req.query("os") ?? "", c.req.query("arch") ?? "");

/** Static: nothing of a request and no setting ever gets into a script. */
function script(path: string, text: string, summary: string): ApiRoute {
  return {
    method: "GET",
    path,
    role: "public",
    summary,
    handler: (_, c) => c.text(text, 200, { "Cache-Control": "no-cache" }),
  };
}

export const downloadRoutes: ApiRoute[] = [
  {
    method: "GET",
    path: "/agent/binary",
    role: "public",
    summary: "The agent's program; X-Checksum-Sha256 is its SHA-256. Ranges are understood",
    query: ["os", "arch"],
    handler: async (server, c) => {
      const file = await agentFor(server, c);
      return sendFile(c, file, await sha256Of(file));
    },
  },
  {
    method: "GET",
    path: "/agent/binary.sha256",
    role: "public",
    summary: "SHA-256 of that program, in hex",
    query: ["os", "arch"],
    handler: async (server, c) => c.text(`${await sha256Of(await agentFor(server, c))}\n`),
  },
  script("/install/install.sh", installSh, "Installs the agent on Linux"),
  script("/install/install.ps1", installPs1, "Installs the agent on Windows"),
  {
    method: "GET",
    path: "/install/nssm.exe",
    role: "public",
    summary: "NSSM, which runs the agent as a service on Windows",
    handler: async (server, c) => {
      const file = await findNssm(server);
      return sendFile(c, file, await sha256Of(file));
    },
  },
  {
    method: "GET",
    path: "/install/nssm.exe.sha256",
    role: "public",
    summary: "SHA-256 of nssm.exe, in hex",
    handler: async (server, c) => c.text(`${await sha256Of(await findNssm(server))}\n`),
  },
];
