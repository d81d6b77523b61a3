// The least that a program of Deno can be: it says that it is there and waits.
console.log(JSON.stringify({ ready: true }));
setTimeout(() => {}, 3_600_000);
