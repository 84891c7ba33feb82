import { serviceReferenceSchema, serviceSchema } from "@fairlead/registration";
import { z } from "zod";

const next = z.string().optional();

/** GET /v1/instances of registry-sync. */
export const instancesPage = z
  .object({
    instances: z.array(
      z
        .object({ ...serviceSchema.shape, state: z.enum(["warming", "ready", "draining"]) })
        .transform(({ state, ...service }) => ({ service, state })),
    ),
    next,
  })
  .transform(({ instances, next: after }) => ({ items: instances, next: after }));

/** GET /v1/subscriptions of registry-sync. Of a subscription only the interface counts. */
export const subscriptionsPage = z
  .object({
    subscriptions: z.array(
      z
        .object({ interface: serviceReferenceSchema.shape.interface })
        .transform((subscription) => serviceReferenceSchema.parse(subscription)),
    ),
    next,
  })
  .transform(({ subscriptions, next: after }) => ({ items: subscriptions, next: after }));
