import { FairleadError } from "@fairlead/errors";
import { addRoute, type HttpApi } from "@fairlead/http-api";
import type { Protocol } from "@fairlead/model";
import { serviceReferenceSchema, serviceSchema } from "@fairlead/registration";
import { z } from "zod";
import type { Registrations } from "../registration/registrations.ts";

/** SOFARPC's names for what a service speaks. */
const protocolOf: Readonly<Record<string, Protocol>> = {
  bolt: "bolt",
  dubbo: "dubbo",
  tri: "grpc",
  h2c: "http2",
  rest: "http",
  http: "http",
};

const applicationBody = z.looseObject({ appName: z.string().optional() });
const publishBody = z.looseObject({
  serviceName: z.string().describe("interface:version, :uniqueId where there is one, and @DEFAULT"),
  protocolType: z.string().default("bolt"),
  port: z.union([z.string(), z.number()]).optional(),
  providerMetaInfo: z.looseObject({}).optional(),
});
const serviceBody = z.looseObject({ serviceName: z.string() });

const answerSchema = z.object({ success: z.boolean(), errorMessage: z.string().optional() });
const subscribeAnswer = answerSchema.extend({ serviceName: z.string(), datas: z.array(z.string()) });

/** All services of SOFA have this version unless they say otherwise: who publishes by hand gives none. */
const usualVersion = "1.0";

function parseName(serviceName: string): { interface: string; version: string; group: string } {
  const [name = "", version = "", group = ""] = serviceName.split("@", 1)[0]!.split(":");
  return { interface: name, version: version === usualVersion ? "" : version, group };
}

export interface SofaRegistryOptions {
  readonly registrations: Registrations;
  /** Of the application, where a body names none. */
  readonly boltPort: number;
  /** Where the application's calls are taken. */
  readonly outboundRpcPort: number;
}

/** SOFARPC's mesh registry: an application whose registry is `mesh` at this API is on the mesh without another change. */
export async function addSofaRegistry(fastify: HttpApi["fastify"], options: SofaRegistryOptions): Promise<void> {
  const { registrations, boltPort, outboundRpcPort } = options;
  const query = { wait: undefined } as Parameters<Registrations["publish"]>[1];
  await fastify.register(async (scope) => {
    // SOFARPC sends its JSON as text; a web page that does so is refused by its Origin.
    scope.removeContentTypeParser("text/plain");
    scope.addContentTypeParser(
      "text/plain",
      { parseAs: "string" },
      async (_request: unknown, body: string | Buffer) => {
        try {
          return JSON.parse(String(body)) as unknown;
        } catch (cause) {
          throw new FairleadError("FL_REQUEST_INVALID", "the body is not JSON", { cause });
        }
      },
    );
    const accepts = { contentTypes: ["text/plain", "application/json"] };
    /** SOFARPC reads only answers of status 200. */
    const done = async (work: () => Promise<unknown>) => {
      try {
        await work();
        return { success: true };
      } catch (caught) {
        return { success: false, errorMessage: FairleadError.from(caught).message };
      }
    };
    addRoute(scope, {
      method: "POST",
      path: "/configs/application",
      summary: "SOFARPC's mesh registry: who the application is",
      accepts,
      body: applicationBody,
      answer: answerSchema,
      handle: async () => ({ success: true }),
    });
    addRoute(scope, {
      method: "POST",
      path: "/services/publish",
      summary: "SOFARPC's mesh registry: publish a service",
      accepts,
      body: publishBody,
      answer: answerSchema,
      handle: async ({ body }) =>
        await done(async () => {
          const protocol = protocolOf[body.protocolType];
          if (protocol === undefined)
            throw new FairleadError("FL_REQUEST_INVALID", `services over ${body.protocolType} are not served`);
          const port = Number(body.port ?? boltPort);
          const name = parseName(body.serviceName);
          return await registrations.publish(serviceSchema.parse({ ...name, protocol, port }), query);
        }),
    });
    addRoute(scope, {
      method: "POST",
      path: "/services/unpublish",
      summary: "SOFARPC's mesh registry: withdraw a publication",
      accepts,
      body: serviceBody,
      answer: answerSchema,
      handle: async ({ body }) =>
        await done(async () => {
          const name = parseName(body.serviceName);
          const published = registrations
            .report()
            .publications.filter(
              ({ service }) =>
                service.interface === name.interface &&
                service.version === name.version &&
                service.group === name.group,
            );
          for (const { service } of published) await registrations.withdraw(service, query);
        }),
    });
    addRoute(scope, {
      method: "POST",
      path: "/services/subscribe",
      summary: "SOFARPC's mesh registry: say that the application calls a service",
      description: "The application calls it at port 12220 of this sidecar's host, whatever the answer names.",
      accepts,
      body: serviceBody,
      answer: subscribeAnswer,
      handle: async ({ body }) => {
        const reference = { ...parseName(body.serviceName), protocol: "bolt" };
        const answer = await done(() => registrations.subscribe(serviceReferenceSchema.parse(reference), query));
        return { ...answer, serviceName: body.serviceName, datas: [`127.0.0.1:${outboundRpcPort}`] };
      },
    });
    addRoute(scope, {
      method: "POST",
      path: "/services/unsubscribe",
      summary: "SOFARPC's mesh registry: take a subscription back",
      accepts,
      body: serviceBody,
      answer: answerSchema,
      handle: async ({ body }) =>
        await done(() => {
          const reference = { ...parseName(body.serviceName), protocol: "bolt" };
          return registrations.unsubscribe(serviceReferenceSchema.parse(reference), query);
        }),
    });
  });
}
