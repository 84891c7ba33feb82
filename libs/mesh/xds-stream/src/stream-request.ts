import { FairleadError } from "@fairlead/errors";
import type { StreamRequest } from "./discovery-stream.ts";
import { canonicalNames, canonicalVersions } from "./resource-name.ts";

/** With the one spelling of each name. */
export function canonical(request: StreamRequest): StreamRequest {
  const { names, unsubscribed, initialVersions } = request;
  // An answer to a response, as most requests are.
  if (names.length === 0 && (unsubscribed?.length ?? 0) === 0 && (initialVersions?.size ?? 0) === 0) return request;
  return {
    ...request,
    names: canonicalNames(names),
    ...(unsubscribed === undefined ? {} : { unsubscribed: canonicalNames(unsubscribed) }),
    ...(initialVersions === undefined ? {} : { initialVersions: canonicalVersions(initialVersions) }),
  };
}

/** Rule 3: on ADS a request names its type; a service of one type may take it for granted. */
export function requestedType(typeUrl: string, onlyType: string | undefined): string {
  if (typeUrl === "") {
    if (onlyType !== undefined) return onlyType;
    throw new FairleadError("FL_XDS_TYPE_MISSING", "a request on an ADS stream has no type_url");
  }
  if (onlyType !== undefined && typeUrl !== onlyType) {
    throw new FairleadError("FL_XDS_TYPE_FOREIGN", `this service has ${onlyType} alone, not ${typeUrl}`, {
      facts: { typeUrl, onlyType },
    });
  }
  return typeUrl;
}
