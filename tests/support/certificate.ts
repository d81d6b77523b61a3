import { join } from "node:path";

/** A certificate for 127.0.0.1 that no public authority vouches for. Needs openssl. */
export function selfSigned(directory: string): { cert: string; key: string } {
  const [cert, key] = [join(directory, "cert.pem"), join(directory, "key.pem")];
  const args =
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test
    -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE -keyout ${key} -out ${cert}`;
  const { success, stderr } = new Deno.Command("openssl", {
    args: args.split(/\s+/),
    stdout: "null",
  }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return { cert: Deno.readTextFileSync(cert), key: Deno.readTextFileSync(key) };
}
