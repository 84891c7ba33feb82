import { type Service, serviceKey } from "@fairlead/model";

/** What is called: a registered service, or one port of a ServiceEntry's host. */
export interface Callee extends Service {
  /** Of a ServiceEntry; undefined for a registered service, which has no port of its own. */
  readonly port?: number | undefined;
}

/** No protocol's name is a number: the keys of the two do not meet. */
export function calleeKey(callee: Callee): string {
  return callee.port === undefined ? serviceKey(callee) : `${callee.port}/${callee.interface.toLowerCase()}`;
}

/** @returns undefined for the key of a registered service */
export function externalPart(key: string): { readonly port: number; readonly host: string } | undefined {
  const found = /^(\d+)\/(.*)$/.exec(key);
  return found === null ? undefined : { port: Number(found[1]), host: found[2]! };
}
