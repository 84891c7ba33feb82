import { browserRefusal, errorAnswer } from "@fairlead/http-api";
import type { Logger } from "@fairlead/logging";
import { type AdminPage, AdminServer as Server } from "@fairlead/proxy-admin";
import "../errors.ts";

/** The admin pages, which answer and refuse as the other HTTP APIs do. */
export class AdminServer extends Server {
  constructor(pages: Readonly<Record<string, AdminPage>>, logger: Logger) {
    super(pages, {
      refusalOf: browserRefusal,
      answerOf: errorAnswer,
      onFailure: (error) => logger.error({ err: error }, "admin page failed"),
    });
  }
}
