import { DeltaContents } from "./delta-contents.ts";
import type { DiscoveryStreamOptions } from "./discovery-stream.ts";
import { encodeDeltaResponse } from "./encode-response.ts";
import { DeltaSubscription } from "./subscription.ts";
import { legacyWildcardTypes, type StreamVariant, XdsStream } from "./xds-stream.ts";

const delta: StreamVariant = {
  open(typeUrl) {
    const subscription = new DeltaSubscription({ legacyWildcard: legacyWildcardTypes.has(typeUrl) });
    return { subscription, contents: new DeltaContents(typeUrl, subscription) };
  },
  encode: encodeDeltaResponse,
  warmingAsks: false,
};

/** DeltaDiscoveryRequest and DeltaDiscoveryResponse: requests and responses carry what changes. */
export class DeltaStream extends XdsStream {
  constructor(options: DiscoveryStreamOptions) {
    super(options, delta);
  }
}
