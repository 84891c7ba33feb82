import { z } from "zod";
import { clientTls } from "./client-tls.ts";
import { connectionPool } from "./connection-pool.ts";
import { portSelector } from "./destination.ts";
import { count, maxItems, notImplemented, percentNumber } from "./fields.ts";
import { loadBalancer } from "./load-balancer.ts";
import { outlierDetection } from "./outlier-detection.ts";

const settings = {
  loadBalancer: loadBalancer.optional().describe("Which instance a call gets."),
  connectionPool: connectionPool.optional().describe("Limits."),
  outlierDetection: outlierDetection.optional().describe("Instances that fail get no calls for a while."),
  tls: clientTls.optional().describe("TLS to the instances."),
};

const portLevelSettings = z
  .array(z.strictObject({ port: portSelector.describe("A port of a ServiceEntry."), ...settings }))
  .max(maxItems)
  .optional()
  .describe("For one port each, in place of what the policy around says of load balancer, pool, outliers and tls.");

const retryBudget = z.strictObject({
  percent: percentNumber.optional().describe("Of the calls under way, repetitions at a time. Default: 20."),
  minRetryConcurrency: count.optional().describe("So many are allowed in any case. Default: 3."),
});

export const trafficPolicy = z.strictObject({
  ...settings,
  portLevelSettings,
  retryBudget: retryBudget.optional().describe("A limit of repetitions, in place of `maxRetries`."),
  tunnel: notImplemented("calls are not tunnelled through another proxy"),
  proxyProtocol: notImplemented("the PROXY protocol is not sent"),
});
export type TrafficPolicy = z.output<typeof trafficPolicy>;
export type PortTrafficPolicy = NonNullable<TrafficPolicy["portLevelSettings"]>[number];
