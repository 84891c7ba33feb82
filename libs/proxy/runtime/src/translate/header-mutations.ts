import {
  type HeaderValueOption,
  HeaderValueOption_HeaderAppendAction,
  HeaderValueOptionSchema,
  HeaderValueSchema,
} from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import { compileHeaderTemplate, templateOperators } from "@fairlead/proxy-filter";
import type { HeaderAddition, HeaderMutation, HeaderMutations } from "@fairlead/proxy-router";
import { refuseOthers, rejection } from "./rejection.ts";

/** The four fields that routes, virtual hosts, route tables and weighted clusters have in common. */
export interface MutatingMessage {
  readonly requestHeadersToAdd: readonly HeaderValueOption[];
  readonly requestHeadersToRemove: readonly string[];
  readonly responseHeadersToAdd: readonly HeaderValueOption[];
  readonly responseHeadersToRemove: readonly string[];
}

export const mutationFields = [
  "request_headers_to_add",
  "request_headers_to_remove",
  "response_headers_to_add",
  "response_headers_to_remove",
];

const noMutations: HeaderMutations = {};

/** @throws FairleadError FL_XDS_REJECTED */
export function readMutations(message: MutatingMessage, where: string): HeaderMutations {
  const request = readMutation(
    message.requestHeadersToAdd,
    message.requestHeadersToRemove,
    `${where}request_headers_to`,
  );
  const response = readMutation(
    message.responseHeadersToAdd,
    message.responseHeadersToRemove,
    `${where}response_headers_to`,
  );
  if (request === undefined && response === undefined) return noMutations;
  return { ...(request === undefined ? {} : { request }), ...(response === undefined ? {} : { response }) };
}

export function readMutation(
  add: readonly HeaderValueOption[],
  remove: readonly string[],
  where: string,
): HeaderMutation | undefined {
  if (add.length === 0 && remove.length === 0) return undefined;
  return {
    remove: remove.map((name, i) => readName(name, `${where}_remove[${i}]`)),
    add: add.map((option, i) => readAddition(option, `${where}_add[${i}].`)),
  };
}

const actions: Readonly<Record<HeaderValueOption_HeaderAppendAction, HeaderAddition["action"]>> = {
  [HeaderValueOption_HeaderAppendAction.APPEND_IF_EXISTS_OR_ADD]: "append",
  [HeaderValueOption_HeaderAppendAction.ADD_IF_ABSENT]: "addIfAbsent",
  [HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD]: "overwrite",
  [HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS]: "overwriteIfExists",
};

function readAddition(option: HeaderValueOption, where: string): HeaderAddition {
  refuseOthers(HeaderValueOptionSchema, option, where, ["header", "append", "append_action", "keep_empty_value"]);
  if (option.header === undefined) throw rejection(`${where}header`, "is missing");
  refuseOthers(HeaderValueSchema, option.header, `${where}header.`, ["key", "value"]);
  const appended = option.append === undefined ? undefined : option.append ? "append" : "overwrite";
  return {
    name: readName(option.header.key, `${where}header.key`),
    value: readValue(option.header.value, `${where}header.value`),
    action: appended ?? actions[option.appendAction],
    keepEmpty: option.keepEmptyValue,
  };
}

/** Headers that frame the message or belong to the connection: a change of them would be request smuggling by configuration. */
const framing = new Set(["host", "content-length", "transfer-encoding", "connection", "upgrade", "keep-alive", "te"]);

function readName(name: string, field: string): string {
  const lower = name.toLowerCase();
  if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(lower))
    throw rejection(field, `${JSON.stringify(name)} is not a header name`);
  if (framing.has(lower)) throw rejection(field, `${lower} may not be changed`);
  return lower;
}

function readValue(value: string, field: string): HeaderAddition["value"] {
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) throw rejection(field, "holds a character that a header value may not");
  const template = compileHeaderTemplate(value);
  if (template === undefined)
    throw rejection(
      field,
      `${value} has a command operator that is not supported; ${templateOperators.join(", ")} are`,
    );
  return template;
}
