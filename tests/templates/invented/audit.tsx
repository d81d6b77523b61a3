// The audit.
import { AuditPage } from "../../../templates/audit/page.tsx";
import { frame, HOSTILE, id, MINUTE, NOW, type Pages } from "./common.ts";

const auditEntries = (n: number) =>
  Array.from({ length: n }, (_, i) => ({
    at: NOW - i * 37 * MINUTE,
    actor: i % 5 === 4
      ? { kind: "agent" as const, name: "web-01" }
      : { kind: "user" as const, name: i === 2 ? HOSTILE : "alice" },
    action: ["user.login", "job.start", "repository.change", "host.delete", "token.create"][i % 5]!,
    target: i % 5 === 0 ? null : {
      kind: "host",
      name: i === 3 ? HOSTILE : "web-01",
      href: i % 2 ? `/hosts/${id(4)}` : null,
    },
    address: i % 5 === 4 ? null : "2001:db8::1",
    detail: i % 3 === 0 ? {} : { kind: "backup", fields: ["url", "password"] },
  }));

export const auditPages: Pages = {
  "audit": () => (
    <AuditPage
      frame={frame()}
      entries={auditEntries(50)}
      filter={{ actor: "", action: "", target: "", from: "", to: "" }}
      fault={{ id: 1234, what: "was changed, or put in the place of another" }}
      nextCursor="abc"
      isFirstPage
    />
  ),
  "audit-none": () => (
    <AuditPage
      frame={frame()}
      entries={[]}
      filter={{ actor: HOSTILE, action: "", target: "", from: "2026-13-01", to: "" }}
      fault={null}
      error="from must be a date such as 2026-11-22"
      nextCursor={null}
      isFirstPage
    />
  ),
};
