// The tests of the Linux installer on a Debian 12 as it comes, with nothing but what .ci/run installs: a root made by
// debootstrap from the mirror that this machine's apt uses.
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { firstOf, missingProgram, missingRoot, testUnless } from "../support/left_out.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const missing = firstOf(
  Deno.env.get("RM_TEST_DEBOOTSTRAP") ? undefined : "set RM_TEST_DEBOOTSTRAP=1",
  missingRoot(),
  await missingProgram("debootstrap"),
);

async function run(program: string, args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(program, { args, env, cwd: ROOT })
    .output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, said: decode(stdout) + decode(stderr) };
}

async function must(program: string, args: string[]): Promise<string> {
  const { code, said } = await run(program, args);
  assert.equal(code, 0, `${program} ${args.join(" ")}: ${said.slice(-2000)}`);
  return said;
}

/** This machine's way to a mirror, the checkout, and the runner with what it has downloaded. */
async function furnish(root: string): Promise<void> {
  for (
    const path of [
      "/etc/apt",
      "/etc/resolv.conf",
      "/etc/ssl/certs",
      "/usr/local/share/ca-certificates",
    ]
  ) {
    if (!await Deno.stat(path).then(() => true, () => false)) continue;
    await Deno.mkdir(join(root, dirname(path)), { recursive: true });
    await must("cp", ["-rLT", "--remove-destination", path, join(root, path)]);
  }
  await must("sh", [
    "-c",
    `mkdir -p "$1/src" && git ls-files -z | tar c --null -T - | tar x -C "$1/src"`,
    "sh",
    root,
  ]);
  await Deno.copyFile(Deno.execPath(), join(root, "opt/deno"));
  // What a machine has from its installation or its container: users other than root, and its own name.
  await Deno.chmod(root, 0o755);
  await Deno.writeTextFile(join(root, "etc/hosts"), "127.0.0.1 localhost\n::1 localhost\n");
  const cache = join(Deno.env.get("HOME") ?? "/root", ".cache");
  await Deno.mkdir(join(root, "root/.cache"), { recursive: true });
  for (const name of ["deno", `denort-${Deno.version.deno}`]) {
    await must("sh", [
      "-c",
      `[ ! -e "$1" ] || cp -a "$1" "$2"`,
      "sh",
      join(cache, name),
      join(root, "root/.cache/"),
    ]);
  }
}

testUnless(
  missing,
  "on a bare Debian 12 with what .ci/run installs no test of the installer leaves itself out",
  async () => {
    const root = await Deno.makeTempDir({ prefix: "rm-debian-" });
    try {
      const sites = await must("apt-get", [
        "indextargets",
        "--format",
        "$(SITE)",
        "Created-By: Packages",
      ]);
      const mirror = sites.split("\n").find((site) => /\/debian\/?$/.test(site))!;
      // In a namespace of its own, since it leaves /proc mounted, and what is mounted must not be removed with the folder.
      await must("unshare", [
        "--mount",
        "debootstrap",
        "--variant=minbase",
        "bookworm",
        root,
        mirror,
      ]);
      await furnish(root);
      const packages = await must("bash", ["-c", '. .ci/run; echo "$packages"']);
      const inside = `set -e
      export HOME=/root NO_COLOR=1 DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
      [ ! -e /var/spool/cron ] && [ ! -e /old ]
      printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
      apt-get update -qq && apt-get install -y -qq --no-install-recommends restic ${packages.trim()} >/dev/null 2>&1
      cd /src && /opt/deno run -A tests/run.ts tests/deploy/install_test.ts tests/deploy/join_command_test.ts`;
      const { code, said } = await run("unshare", [
        "--mount",
        "--pid",
        "--fork",
        "sh",
        "-ec",
        `mount --bind "$1" "$1"; cd "$1"; mount -t proc proc proc; mount --rbind /dev dev; mount --rbind /sys sys
      mount -t tmpfs -o mode=1777 none tmp
      # Not a chroot alone, out of which whoever enters a namespace below comes: nothing of this machine is left in sight.
      mkdir old && pivot_root . old
      exec chroot . sh -c 'umount -l /old && rmdir /old && exec sh -c "$1"' sh "$2"`,
        "sh",
        root,
        inside,
      ], { DENO_TLS_CA_STORE: "system,mozilla" });
      assert.equal(code, 0, said.slice(-20_000));
      assert.match(said, /^ok \| \d+ passed.* \| 0 failed \(/m, said.slice(-20_000));
      assert.doesNotMatch(said, /ignored|left out/);
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  },
);
