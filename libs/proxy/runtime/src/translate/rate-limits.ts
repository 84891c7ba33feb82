import {
  type RateLimit,
  type RateLimit_Action,
  RateLimit_ActionSchema,
  RateLimit_Action_HeaderValueMatchSchema,
  RateLimit_Action_QueryParameterValueMatchSchema,
  RateLimitSchema,
} from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import type { RateLimitAction, RateLimitSpec } from "@fairlead/proxy-router";
import { readHeader, readQueryParameter } from "./matchers.ts";
import { refuseOthers, rejection } from "./rejection.ts";

/** Envoy's. */
const LAST_STAGE = 10;

/** @throws FairleadError FL_XDS_REJECTED */
export function readRateLimits(messages: readonly RateLimit[], where: string): RateLimitSpec[] {
  return messages.map((message, i) => {
    const at = `${where}[${i}].`;
    // There is no runtime that could disable it by its key.
    refuseOthers(RateLimitSchema, message, at, ["stage", "actions", "disable_key"]);
    if (message.actions.length === 0) throw rejection(`${at}actions`, "is empty");
    return {
      stage: readStage(message.stage ?? 0, `${at}stage`),
      actions: message.actions.map((action, j) => readAction(action, `${at}actions[${j}].`)),
    };
  });
}

/** @throws FairleadError FL_XDS_REJECTED */
export function readStage(stage: number, field: string): number {
  if (stage > LAST_STAGE) throw rejection(field, `is more than ${LAST_STAGE}`);
  return stage;
}

function readAction(message: RateLimit_Action, where: string): RateLimitAction {
  refuseOthers(RateLimit_ActionSchema, message, where, [
    "generic_key",
    "request_headers",
    "remote_address",
    "masked_remote_address",
    "destination_cluster",
    "header_value_match",
    "query_parameter_value_match",
  ]);
  const { actionSpecifier: action } = message;
  switch (action.case) {
    case "genericKey": {
      const { descriptorKey, descriptorValue } = action.value;
      return {
        kind: "genericKey",
        key: orDefault(descriptorKey, "generic_key"),
        value: required(descriptorValue, `${where}generic_key.descriptor_value`),
      };
    }
    case "requestHeaders": {
      const { headerName, descriptorKey, skipIfAbsent } = action.value;
      const at = `${where}request_headers.`;
      return {
        kind: "requestHeader",
        key: required(descriptorKey, `${at}descriptor_key`),
        name: required(headerName, `${at}header_name`).toLowerCase(),
        skipIfAbsent,
      };
    }
    case "remoteAddress":
    case "destinationCluster":
      return { kind: action.case };
    case "maskedRemoteAddress":
      return {
        kind: "maskedRemoteAddress",
        ipv4Bits: readBits(action.value.v4PrefixMaskLen, 32, `${where}masked_remote_address.v4_prefix_mask_len`),
        ipv6Bits: readBits(action.value.v6PrefixMaskLen, 128, `${where}masked_remote_address.v6_prefix_mask_len`),
      };
    case "headerValueMatch": {
      const at = `${where}header_value_match.`;
      refuseOthers(RateLimit_Action_HeaderValueMatchSchema, action.value, at, [...valueFields, "headers"]);
      const headers = action.value.headers.map((header, i) => readHeader(header, `${at}headers[${i}]`));
      return { kind: "headerMatch", ...readValue(action.value, "header_match", at), headers };
    }
    case "queryParameterValueMatch": {
      const at = `${where}query_parameter_value_match.`;
      refuseOthers(RateLimit_Action_QueryParameterValueMatchSchema, action.value, at, [
        ...valueFields,
        "query_parameters",
      ]);
      const parameters = action.value.queryParameters.map((parameter, i) =>
        readQueryParameter(parameter, `${at}query_parameters[${i}]`),
      );
      return { kind: "queryMatch", ...readValue(action.value, "query_match", at), parameters };
    }
    default:
      throw rejection(where, "has no action");
  }
}

const valueFields = ["descriptor_key", "descriptor_value", "expect_match"];

interface Valued {
  readonly descriptorKey: string;
  readonly descriptorValue: string;
  readonly expectMatch?: boolean | undefined;
}

function readValue(
  { descriptorKey, descriptorValue, expectMatch }: Valued,
  key: string,
  where: string,
): { readonly key: string; readonly value: string; readonly expected: boolean } {
  return {
    key: orDefault(descriptorKey, key),
    value: required(descriptorValue, `${where}descriptor_value`),
    expected: expectMatch ?? true,
  };
}

function readBits(bits: number | undefined, most: number, field: string): number {
  if (bits !== undefined && bits > most) throw rejection(field, `is more than ${most}`);
  return bits ?? most;
}

function orDefault(text: string, fallback: string): string {
  return text === "" ? fallback : text;
}

function required(text: string, field: string): string {
  if (text === "") throw rejection(field, "is empty");
  return text;
}
