import type { FairleadError } from "@fairlead/errors";
import {
  addRoute,
  createHttpApi,
  errorAnswer,
  type ErrorAnswer,
  type HttpApi,
  type HttpApiOptions,
  type HttpLimits,
  type Readiness,
  RelayedError,
} from "@fairlead/http-api";
import type { Logger } from "@fairlead/logging";
import {
  publicationAnswerSchema,
  serviceReferenceSchema,
  serviceSchema,
  waitQuerySchema,
} from "@fairlead/registration";
import { z } from "zod";
import type { Registrations } from "../registration/registrations.ts";
import { answerMosn } from "./mosn-dubbod.ts";
import { addSofaRegistry } from "./sofa-registry.ts";

export interface LocalApiOptions {
  readonly registrations: Registrations;
  readonly readiness: () => Readiness;
  readonly logger: Logger;
  readonly telemetry: HttpApiOptions["telemetry"];
  /** What bodies of MOSN and SOFARPC leave open. */
  readonly rpcPorts: { readonly dubboPort: number; readonly boltPort: number; readonly outboundRpcPort: number };
  /** @default those of `createHttpApi` */
  readonly limits?: HttpLimits;
}

const publicationBody = z.strictObject({ service: serviceSchema });
const referenceBody = z.strictObject({ service: serviceReferenceSchema });

const registrationsAnswer = z.object({
  node: z.object({ id: z.string() }).loose(),
  lease: z.object({ registered: z.boolean(), renewedAtMs: z.number().optional(), error: z.string().optional() }),
  publications: z
    .array(
      z.object({
        service: serviceSchema,
        state: z.enum(["warming", "ready", "draining"]).describe("As registry-sync has it."),
        waitingFor: z.string(),
        revision: z.number().int(),
        error: z.object({ code: z.string(), message: z.string() }).optional(),
      }),
    )
    .readonly(),
  subscriptions: z.array(serviceReferenceSchema).readonly(),
});

/** MOSN's `err_no` and `err_msg`, the fields of every error of Fairlead, and the report of who has not ACKed. */
function withErrNo(answer: ErrorAnswer, error: FairleadError): object {
  const relayed = [error, error.cause].find((candidate) => candidate instanceof RelayedError);
  return { err_no: 1, err_msg: answer.message, ...answer, ...relayed?.further };
}

/** The application's door to the mesh: the same operations as registry-sync's, without the node. */
export async function createLocalApi(options: LocalApiOptions): Promise<HttpApi> {
  const { registrations } = options;
  const api = await createHttpApi({
    name: "fairlead-sidecar",
    description: "What the application beside this sidecar publishes and calls.",
    logger: options.logger,
    telemetry: options.telemetry,
    readiness: options.readiness,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  await api.fastify.register(async (scope) => {
    // JSON only: a web page can send text/plain to its reader's machine without asking.
    scope.removeContentTypeParser("text/plain");
    answerMosn(scope, registrations, options.rpcPorts.dubboPort);
    scope.setErrorHandler(async (error, request, reply) => {
      const { status, body, error: mapped } = errorAnswer(error, request);
      return await reply.code(status).send(withErrNo(body, mapped));
    });
    addRoute(scope, {
      method: "POST",
      path: "/pub",
      summary: "Publish a service of the application",
      description:
        "Answers when callers are sent to it, or after 2 s when it is stored; with ?wait=converged when every proxy that may call it has it.",
      body: publicationBody,
      query: waitQuerySchema,
      answer: publicationAnswerSchema,
      formatError: withErrNo,
      handle: async ({ body, query }) => await registrations.publish(body.service, query),
    });
    addRoute(scope, {
      method: "POST",
      path: "/unpub",
      summary: "Withdraw a publication",
      description:
        "With ?wait=converged it answers when no proxy sends calls any more and those under way have ended. Without, it goes on in the background.",
      body: referenceBody,
      query: waitQuerySchema,
      answer: publicationAnswerSchema,
      formatError: withErrNo,
      handle: async ({ body, query }) => await registrations.withdraw(body.service, query),
    });
    addRoute(scope, {
      method: "POST",
      path: "/sub",
      summary: "Say that the application calls a service",
      description: "Once there is one subscription, the sidecar is sent only what is subscribed to.",
      body: referenceBody,
      query: waitQuerySchema,
      answer: publicationAnswerSchema,
      formatError: withErrNo,
      handle: async ({ body, query }) => await registrations.subscribe(body.service, query),
    });
    addRoute(scope, {
      method: "POST",
      path: "/unsub",
      summary: "Take a subscription back",
      body: referenceBody,
      query: waitQuerySchema,
      answer: publicationAnswerSchema,
      formatError: withErrNo,
      handle: async ({ body, query }) => await registrations.unsubscribe(body.service, query),
    });
    addRoute(scope, {
      method: "GET",
      path: "/v1/registrations",
      summary: "What this sidecar has registered, and the state of each",
      answer: registrationsAnswer,
      handle: async () => registrations.report(),
    });
  });
  await addSofaRegistry(api.fastify, { registrations, ...options.rpcPorts });
  return api;
}
