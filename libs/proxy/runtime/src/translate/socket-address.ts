import { isIP } from "node:net";
import {
  type Address,
  AddressSchema,
  SocketAddressSchema,
} from "@fairlead/envoy-api/envoy/config/core/v3/address_pb.js";
import { refuseOthers, rejection } from "./rejection.ts";

export interface IpAddress {
  readonly address: string;
  readonly port: number;
}

/** @throws FairleadError FL_XDS_REJECTED for all but an IP address with a TCP port */
export function readAddress(message: Address | undefined, where: string): IpAddress {
  const found = readSocketAddress(message, where);
  if (isIP(found.address) === 0)
    throw rejection(`${where}.socket_address.address`, `${found.address} is not an IP address`);
  return found;
}

/** The address may be a name. @throws FairleadError FL_XDS_REJECTED */
export function readSocketAddress(message: Address | undefined, where: string): IpAddress {
  if (message === undefined) throw rejection(where, "is missing");
  refuseOthers(AddressSchema, message, `${where}.`, ["socket_address"]);
  if (message.address.case !== "socketAddress") throw rejection(`${where}.socket_address`, "is missing");
  const socket = message.address.value;
  refuseOthers(SocketAddressSchema, socket, `${where}.socket_address.`, ["address", "port_value"]);
  const port = socket.portSpecifier.case === "portValue" ? socket.portSpecifier.value : -1;
  if (port < 0 || port > 65_535) throw rejection(`${where}.socket_address.port_value`, "is not a port");
  return { address: socket.address, port };
}
