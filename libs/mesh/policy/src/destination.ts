import { z } from "zod";
import { hostName, portNumber } from "./fields.ts";

export const portSelector = z.strictObject({ number: portNumber.describe("1 to 65535.") });

/** Where calls go. */
export const destination = z.strictObject({
  host: hostName.describe("The service; see Hosts."),
  subset: z.string().min(1).max(128).optional().describe("A subset that a DestinationRule of the host names."),
  port: portSelector
    .optional()
    .describe(
      "Which port of a ServiceEntry. A registered interface has one way in whatever its port: any number leads to it.",
    ),
});
export type Destination = z.output<typeof destination>;
