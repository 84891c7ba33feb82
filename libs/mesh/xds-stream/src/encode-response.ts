import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { ResponsePlan } from "./contents.ts";
import { deltaResources, sotwResources } from "./encode-resources.ts";

export interface ResponseFields {
  readonly typeUrl: string;
  readonly nonce: string;
  /** Shown by Envoy as `control_plane.identifier`. */
  readonly controlPlane: string;
  readonly plan: ResponsePlan;
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

function message(writer: BinaryWriter, field: number, write: (inner: BinaryWriter) => void): void {
  const inner = new BinaryWriter();
  write(inner);
  writer.tag(field, WireType.LengthDelimited).bytes(inner.finish());
}

/**
 * envoy.service.discovery.v3.DiscoveryResponse:
 *
 *   1 version_info   2 resources   4 type_url   5 nonce   6 control_plane (1 identifier)
 */
export function encodeSotwResponse({ typeUrl, nonce, controlPlane, plan }: ResponseFields): Buffer {
  const version = new BinaryWriter();
  text(version, 1, plan.versionInfo);
  const rest = new BinaryWriter();
  text(rest, 4, typeUrl);
  text(rest, 5, nonce);
  message(rest, 6, (inner) => text(inner, 1, controlPlane));
  return Buffer.concat([version.finish(), sotwResources.joined(plan.resources), rest.finish()]);
}

const notFound = 5;

/**
 * envoy.service.discovery.v3.DeltaDiscoveryResponse:
 *
 *   1 system_version_info   2 resources   4 type_url   5 nonce   6 removed_resources   7 control_plane (1 identifier)
 *   9 resource_errors (1 resource_name (1 name), 2 error_detail (1 code, 2 message)): newer than the protos that we build from
 */
export function encodeDeltaResponse({ typeUrl, nonce, controlPlane, plan }: ResponseFields): Buffer {
  const version = new BinaryWriter();
  text(version, 1, plan.versionInfo);
  const rest = new BinaryWriter();
  text(rest, 4, typeUrl);
  text(rest, 5, nonce);
  for (const name of plan.removed) text(rest, 6, name);
  message(rest, 7, (inner) => text(inner, 1, controlPlane));
  for (const name of plan.missing) {
    message(rest, 9, (error) => {
      message(error, 1, (resourceName) => text(resourceName, 1, name));
      message(error, 2, (status) => {
        status.tag(1, WireType.Varint).int32(notFound);
        text(status, 2, "does not exist");
      });
    });
  }
  return Buffer.concat([version.finish(), deltaResources.joined(plan.resources), rest.finish()]);
}
