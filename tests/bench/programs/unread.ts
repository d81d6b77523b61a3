// Opens live pages, so many with each token, and reads none of them.
const [url, tokens, each] = Deno.args;
const { hostname, port, host } = new URL(url!);
const open: Deno.TcpConn[] = [];
for (const token of tokens!.split(",")) {
  for (let n = 0; n < Number(each); n++) {
    const connection = await Deno.connect({ hostname, port: Number(port) });
    await connection.write(
      new TextEncoder().encode(
        `GET /live/dashboard HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      ),
    );
    // The head of the answer.
    await connection.read(new Uint8Array(64));
    open.push(connection);
  }
}
console.log(JSON.stringify({ opened: open.length }));
setInterval(() => open.length, 1000);
