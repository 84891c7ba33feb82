import { z } from "zod";
import { notImplemented } from "./fields.ts";

const reason = "all proxies get the same endpoints of a service, wherever they are";

export const localityLbSetting = z.strictObject({
  enabled: z
    .literal(false, { error: `is not implemented but with false: ${reason}` })
    .describe("`false` only: localities do not matter."),
  distribute: notImplemented(reason),
  failover: notImplemented(reason),
  failoverPriority: notImplemented(reason),
});
