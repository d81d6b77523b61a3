// No image can be built where there is no container engine: what the Dockerfile runs is run here, in a root of its own.
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { fileName, TARGETS } from "../../deploy/build/targets.ts";
import { buildForTests } from "../support/compiled.ts";
import { testUnless } from "../support/left_out.ts";
import { missingForMachine } from "../support/machine.ts";
import { freePort } from "../support/programs.ts";

const CONTAINER = fileURLToPath(new URL("../../deploy/container", import.meta.url));
const dockerfile = Deno.readTextFileSync(join(CONTAINER, "Dockerfile"));

/** The words after an instruction, lines that go on put together. */
function instruction(name: string): string {
  const text = dockerfile.replaceAll("\\\n", " ");
  return new RegExp(`^${name} (.*)$`, "m").exec(text)![1]!;
}

testUnless(
  missingForMachine(),
  "what the Dockerfile runs makes a server that starts as its user, answers its health check and hands out agents",
  async () => {
    const programs = await buildForTests();
    const dist = join(programs, "dist");
    try {
      await Deno.mkdir(dist);
      for (const target of Object.keys(TARGETS)) {
        for (const program of ["server", "agent"] as const) {
          await Deno.copyFile(
            join(programs, `restic-manager-${program}`),
            join(dist, fileName(program, target)),
          );
        }
      }
      await Deno.writeTextFile(join(dist, "nssm.exe"), "MZ");
      const arch = Deno.build.arch === "aarch64" ? "arm64" : "amd64";
      const port = freePort();
      const server = "/opt/restic-manager/restic-manager-server";
      const entry = JSON.parse(instruction("ENTRYPOINT")) as string[];
      const health = JSON.parse(instruction("HEALTHCHECK").replace(/^.*CMD /, "")) as string[];
      assert.deepEqual([entry, health], [[server], [server, "check-health"]]);
      const environment = instruction("ENV").replace("0.0.0.0:8080", `127.0.0.1:${port}`);
      const inside = `set -e
      ${instruction("RUN")}
      run="setpriv --reuid=${
        instruction("USER")
      } --regid=10001 --clear-groups env -i ${environment}"
      $run ${server} serve > /tmp/log 2>&1 &
      for n in $(seq 100); do $run ${health.join(" ")} > /dev/null 2>&1 && break; sleep 0.1; done
      $run ${health.join(" ")} || cat /tmp/log
      curl -fsS -o /dev/null -w '%{http_code}\\n' 'http://127.0.0.1:${port}/agent/binary?os=windows&arch=x64'
      curl -fsS -o /dev/null -w '%{http_code}\\n' 'http://127.0.0.1:${port}/install/nssm.exe'
      stat -c '%a %u' /data /data/secret.key; ls /dist 2>&1
      kill $!; wait $! || true`;
      await Deno.writeTextFile(join(programs, "inside"), inside);
      const { stdout, stderr } = await new Deno.Command("unshare", {
        args: [
          "--mount",
          "sh",
          "-ec",
          `mount -t tmpfs none /mnt
         mkdir /mnt/up /mnt/work /mnt/root
         mount -t overlay -o lowerdir=/,upperdir=/mnt/up,workdir=/mnt/work none /mnt/root
         mount -t proc none /mnt/root/proc
         mkdir -p /mnt/root/dev && mount --bind /dev /mnt/root/dev
         mkdir /mnt/root/dist && cp ${dist}/* /mnt/root/dist/
         cp ${programs}/inside /mnt/root/inside
         exec env TARGETARCH=${arch} chroot /mnt/root sh /inside`,
        ],
      }).output();
      const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      assert.equal(
        decode(stdout),
        "ok\n200\n200\n700 10001\n600 10001\nls: cannot access '/dist': No such file or directory\n",
        decode(stderr),
      );
    } finally {
      await Deno.remove(programs, { recursive: true });
    }
  },
);

Deno.test("the compose file listens on loopback only, keeps its data and gives up its rights", async () => {
  const { services, volumes } = parse(await Deno.readTextFile(join(CONTAINER, "compose.yaml")));
  const { server } = services;
  assert.deepEqual(server.ports, ["127.0.0.1:8080:8080"]);
  assert.deepEqual(server.volumes, [`data:${instruction("VOLUME")}`]);
  assert.ok("data" in volumes);
  assert.deepEqual([server.read_only, server.cap_drop], [true, ["ALL"]]);
  const file = join(CONTAINER, server.build.context, server.build.dockerfile);
  assert.equal(await Deno.realPath(file), await Deno.realPath(join(CONTAINER, "Dockerfile")));
});
