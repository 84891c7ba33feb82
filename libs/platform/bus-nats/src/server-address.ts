import { busError } from "@fairlead/bus/adapter";

/** Where NATS is, and as whom: an URL taken apart, so that its password stays out of logs and errors. */
export interface ServerAddress {
  /** host:port of each server of the cluster. */
  readonly hosts: readonly string[];
  readonly tls: boolean;
  readonly login: { readonly user: string; readonly pass: string } | { readonly token: string } | undefined;
}

/**
 * Reads `nats://[user:password@ | token@]host[:port]`, several separated by commas. `tls://` asks for TLS. The first
 * login counts for all, as the servers of one cluster share their users.
 *
 * @throws FairleadError FL_BUS_NAME_INVALID, without the URL's password
 */
export function parseServers(servers: string): ServerAddress {
  const urls = servers.split(",").map((text) => {
    const trimmed = text.trim();
    const url = URL.parse(trimmed.includes("://") ? trimmed : `nats://${trimmed}`);
    if (url === null || url.hostname === "" || !["nats:", "tls:"].includes(url.protocol)) throw invalidAddress();
    return url;
  });
  const withLogin = urls.find((url) => url.username !== "");
  return {
    hosts: urls.map((url) => `${url.hostname}:${url.port === "" ? 4222 : url.port}`),
    tls: urls.some((url) => url.protocol === "tls:"),
    login: withLogin === undefined ? undefined : loginOf(withLogin),
  };
}

function loginOf({ username, password }: URL): ServerAddress["login"] {
  try {
    const user = decodeURIComponent(username);
    return password === "" ? { token: user } : { user, pass: decodeURIComponent(password) };
  } catch {
    throw invalidAddress();
  }
}

function invalidAddress(): Error {
  const form =
    "nats://[user:password@]host:4222 or tls://host:4222, several separated by commas, signs in the login as %40";
  return busError("FL_BUS_NAME_INVALID", `the NATS address is not of the form ${form}`);
}
