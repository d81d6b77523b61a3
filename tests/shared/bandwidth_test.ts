import assert from "node:assert/strict";
import { capsInForce, limitArguments } from "../../shared/bandwidth.ts";

Deno.test("limits become arguments only when they are above zero", () => {
  assert.deepEqual(limitArguments({ bandwidth_up_kbps: null, bandwidth_down_kbps: null }), []);
  assert.deepEqual(limitArguments({ bandwidth_up_kbps: 0, bandwidth_down_kbps: -5 }), []);
  assert.deepEqual(limitArguments({ bandwidth_up_kbps: 512, bandwidth_down_kbps: 1024 }), [
    "--limit-upload",
    "512",
    "--limit-download",
    "1024",
  ]);
});

Deno.test("a run's own number wins in its direction, 0 lifts, absent keeps the host's", () => {
  const host = { bandwidth_up_kbps: 100, bandwidth_down_kbps: 200 };
  assert.deepEqual(capsInForce(host, {}), host);
  assert.deepEqual(capsInForce(host, { bandwidth_up_kbps: null }), host);
  assert.deepEqual(capsInForce(host, { bandwidth_up_kbps: 0 }), {
    bandwidth_up_kbps: 0,
    bandwidth_down_kbps: 200,
  });
  assert.deepEqual(capsInForce(host, { bandwidth_down_kbps: 5 }), {
    bandwidth_up_kbps: 100,
    bandwidth_down_kbps: 5,
  });
});
