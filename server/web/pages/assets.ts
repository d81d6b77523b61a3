import { assets, assetsHash } from "../../../templates/assets/assets.ts";
import { AppError } from "../../errors.ts";
import type { Route } from "../context.ts";

export const assetRoutes: Route[] = [
  {
    method: "GET",
    path: "/assets/:hash/:name",
    role: "public",
    handler: (_, c) => {
      const asset = assets.get(c.req.param("name") ?? "");
      if (!asset) throw new AppError("not_found", "There is no such file.");
      // A page from before an update asks with the old hash: it gets today's file, but may not keep it.
      const isCurrent = c.req.param("hash") === assetsHash;
      return c.body(asset.content, 200, {
        "Content-Type": asset.type,
        "Cache-Control": isCurrent ? "public, max-age=31536000, immutable" : "no-cache",
      });
    },
  },
];
