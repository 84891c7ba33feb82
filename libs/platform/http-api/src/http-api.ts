import type { Server as HttpServer } from "node:http";
import { type AddressInfo, Server } from "node:net";
import fastifySwagger from "@fastify/swagger";
import { FairleadError } from "@fairlead/errors";
import type { Logger } from "@fairlead/logging";
import type { Telemetry } from "@fairlead/telemetry";
import {
  type FastifyBaseLogger,
  type FastifyHttpOptions,
  type FastifyInstance,
  type FastifyReply,
  fastify,
  LogController,
} from "fastify";
import { browserRefusal } from "./browser-guard.ts";
import { errorAnswer } from "./error-answer.ts";
import { defaultHttpLimits, type HttpLimits, limitConnections } from "./http-limits.ts";

/**
 * Input is checked by zod in `addRoute`; the JSON schemas are for openapi.json only. Without fastify's own compilers ajv and what
 * goes with it are not loaded, some 5 MiB of memory in each proxy.
 */
const noCompilers = {
  buildValidator: () => () => () => true,
  buildSerializer: () => () => (data: unknown) => JSON.stringify(data),
} as unknown as NonNullable<NonNullable<FastifyHttpOptions<HttpServer>["schemaController"]>["compilersFactory"]>;

/** How often Node looks for requests that are late; by default every 30 s, whatever the time-outs. */
const timeoutCheckMs = 1000;

/** What /readyz answers: ready when nothing is waited for. */
export interface Readiness {
  /** What it still waits for, in the operator's words; empty = ready. */
  readonly waitingFor: readonly string[];
}

export interface HttpApiOptions {
  readonly name: string;
  readonly description: string;
  readonly logger: Logger;
  readonly telemetry: Pick<Telemetry, "serveMetrics">;
  readonly readiness: () => Readiness;
  /** @default 1 MiB */
  readonly maxBodyBytes?: number;
  /** @default `defaultHttpLimits` */
  readonly limits?: HttpLimits;
}

export interface HttpApi {
  /** Add operations with `addRoute` before `listen`. */
  readonly fastify: FastifyInstance;
  /**
   * @param handle of a socket that is bound already, as `net.Server.listen` takes it
   * @returns the port that it listens on
   * @throws FairleadError FL_LISTEN_FAILED
   */
  listen(bind: string, port: number, handle?: object): Promise<number>;
  /** Answers those that are connected, each once more. Resolves when they have gone. */
  stopAccepting(): Promise<void>;
  close(): Promise<void>;
}

/** An HTTP API with /healthz, /readyz, /metrics and /openapi.json, and one shape for its errors. */
export async function createHttpApi(options: HttpApiOptions): Promise<HttpApi> {
  // Under fastify's own type, so that the instance is an ordinary FastifyInstance.
  const loggerInstance: FastifyBaseLogger = options.logger;
  const limits = options.limits ?? defaultHttpLimits;
  const app = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: options.maxBodyBytes ?? 1024 * 1024,
    requestTimeout: limits.requestTimeoutMs,
    http: { headersTimeout: limits.headersTimeoutMs, connectionsCheckingInterval: timeoutCheckMs },
    forceCloseConnections: "idle",
    routerOptions: { maxParamLength: 1024 },
    schemaController: { compilersFactory: noCompilers },
    // A path that cannot be decoded: fastify answers before its error handler.
    frameworkErrors: (error, _request, reply) => {
      const { status, body } = errorAnswer(error);
      // Its type is that of a route which nobody knows.
      void (reply as unknown as FastifyReply).code(status).send(body);
    },
  });
  limitConnections(app.server, limits.maxConnections, options.logger);
  app.setErrorHandler(async (error, request, reply) => {
    const { status, body, error: mapped } = errorAnswer(error, request);
    if (status >= 500) request.log.error({ err: mapped }, "request failed");
    return await reply.code(status).send(body);
  });
  app.setNotFoundHandler(async (request, reply) => {
    const missing = new FairleadError("FL_NOT_FOUND", `there is no ${request.method} ${request.url.split("?")[0]}`);
    const { status, body } = errorAnswer(missing);
    return await reply.code(status).send(body);
  });
  app.addHook("onRequest", async (request) => {
    const refusal = browserRefusal(request.raw);
    if (refusal !== undefined) throw refusal;
  });
  await app.register(fastifySwagger, {
    openapi: { openapi: "3.1.0", info: { title: options.name, description: options.description, version: "1" } },
  });

  app.get("/healthz", { schema: { hide: true } }, async () => ({ status: "ok" }));
  app.get("/readyz", { schema: { hide: true } }, async (_request, reply) => {
    const { waitingFor } = options.readiness();
    return await reply.code(waitingFor.length === 0 ? 200 : 503).send({ ready: waitingFor.length === 0, waitingFor });
  });
  app.get("/metrics", { schema: { hide: true } }, (request, reply) => {
    reply.hijack();
    options.telemetry.serveMetrics(request.raw, reply.raw);
  });
  app.get("/openapi.json", { schema: { hide: true } }, async () => app.swagger());

  return {
    fastify: app,
    async listen(bind, port, handle) {
      try {
        if (handle === undefined) await app.listen({ host: bind, port });
        else {
          await app.ready();
          await new Promise<void>((resolve, reject) => {
            app.server.once("error", reject);
            app.server.listen(handle, resolve);
          });
        }
      } catch (cause) {
        throw new FairleadError(
          "FL_LISTEN_FAILED",
          `${options.name} cannot listen on ${bind}:${port}: ${(cause as Error).message}`,
          {
            facts: { bind, port },
            cause,
          },
        );
      }
      return (app.server.address() as AddressInfo).port;
    },
    async stopAccepting() {
      if (!app.server.listening) return;
      app.server.prependListener("request", (_request, response) => response.setHeader("connection", "close"));
      // Not HTTP's own close: that would cut connections whose request is on its way.
      await new Promise<void>((resolve) => {
        Server.prototype.close.call(app.server, () => resolve());
      });
    },
    async close() {
      await app.close();
    },
  };
}
