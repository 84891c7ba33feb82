import type { DiscoveryStreamOptions } from "./discovery-stream.ts";
import { encodeSotwResponse } from "./encode-response.ts";
import { FullSetContents } from "./full-set-contents.ts";
import { NamedContents } from "./named-contents.ts";
import { SotwSubscription } from "./subscription.ts";
import { legacyWildcardTypes, type StreamVariant, XdsStream } from "./xds-stream.ts";

const stateOfTheWorld: StreamVariant = {
  open(typeUrl) {
    const isFullSet = legacyWildcardTypes.has(typeUrl);
    const subscription = new SotwSubscription({ legacyWildcard: isFullSet });
    const contents = new (isFullSet ? FullSetContents : NamedContents)(typeUrl, subscription);
    return { subscription, contents };
  },
  encode: encodeSotwResponse,
  warmingAsks: true,
};

/** DiscoveryRequest and DiscoveryResponse: requests carry all names, and responses all listeners or clusters. */
export class SotwStream extends XdsStream {
  constructor(options: DiscoveryStreamOptions) {
    super(options, stateOfTheWorld);
  }
}
