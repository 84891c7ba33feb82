import { FairleadError } from "@fairlead/errors";
import type { HttpApi } from "@fairlead/http-api";
import { serviceReferenceSchema, serviceSchema } from "@fairlead/registration";
import { z } from "zod";
import type { Registrations } from "../registration/registrations.ts";

/** What MOSN's dubbod reads of a body; it passes over all else. */
const bodySchema = z.object({
  registry: z.object({ type: z.literal("zookeeper"), addr: z.string().min(1) }),
  service: z.object({
    interface: z.string().min(1),
    methods: z.array(z.string()).min(1),
    group: z.string().default(""),
    version: z.string().default(""),
  }),
});

type Operation = (service: z.output<typeof bodySchema>["service"]) => Promise<unknown>;

/** Of each path what its answers begin with, and what is done. */
function operationsOf(
  registrations: Registrations,
  dubboPort: number,
): ReadonlyMap<string, readonly [string, Operation]> {
  const protocol = "dubbo" as const;
  const query = { wait: undefined } as Parameters<Registrations["publish"]>[1];
  return new Map<string, readonly [string, Operation]>([
    [
      "/pub",
      [
        "publish",
        (service) => registrations.publish(serviceSchema.parse({ ...service, protocol, port: dubboPort }), query),
      ],
    ],
    [
      "/unpub",
      ["unpub", (service) => registrations.withdraw(serviceReferenceSchema.parse({ ...service, protocol }), query)],
    ],
    [
      "/sub",
      [
        "subscribe",
        (service) => registrations.subscribe(serviceReferenceSchema.parse({ ...service, protocol }), query),
      ],
    ],
    [
      "/unsub",
      [
        "unsubscribe",
        (service) => registrations.unsubscribe(serviceReferenceSchema.parse({ ...service, protocol }), query),
      ],
    ],
  ]);
}

/**
 * Answers bodies of MOSN's dubbod on the paths that it shares with ours, byte for byte as MOSN does: 200 whatever happens. A body that
 * has a `registry` is one. Which registry it names does not matter: the mesh's is meant.
 *
 * @param dubboPort of the application: these bodies do not tell it
 */
export function answerMosn(scope: HttpApi["fastify"], registrations: Registrations, dubboPort: number): void {
  const operations = operationsOf(registrations, dubboPort);
  scope.addHook("preValidation", async (request, reply) => {
    const found = operations.get(request.routeOptions.url ?? "");
    const { body } = request;
    if (found === undefined || typeof body !== "object" || body === null || !("registry" in body)) return undefined;
    const [what, run] = found;
    const answer = (number: 0 | 1, text: string) =>
      reply
        .code(200)
        .type("application/json")
        .send(`{"err_no":${number},"err_msg":${JSON.stringify(text)}}`);
    const parsed = bodySchema.safeParse(body);
    if (!parsed.success) {
      return answer(1, parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "));
    }
    try {
      await run(parsed.data.service);
      return answer(0, `${what} success`);
    } catch (caught) {
      return answer(1, `${what} fail, err: ${FairleadError.from(caught).message}`);
    }
  });
}
