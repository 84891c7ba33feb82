import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { type AccessLog, AccessLogSchema } from "@fairlead/envoy-api/envoy/config/accesslog/v3/accesslog_pb.js";
import { FileAccessLogSchema } from "@fairlead/envoy-api/envoy/extensions/access_loggers/file/v3/file_pb.js";

/** A file in a folder of its own that proxies log to. */
export class LoggedLines implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async start(): Promise<LoggedLines> {
    return new LoggedLines(await mkdtemp(join(tmpdir(), "fairlead-lines-")));
  }

  get #path(): string {
    return join(this.#folder, "log");
  }

  /** An `access_log` that writes such lines to it. */
  text(format: string): AccessLog {
    return this.#log({ case: "format", value: `${format}\n` });
  }

  /** Each line is such an object. */
  json(format: Readonly<Record<string, string>>): AccessLog {
    return this.#log({ case: "jsonFormat", value: format });
  }

  /** All is there when the proxy has been closed. */
  async read(): Promise<string[]> {
    return (await readFile(this.#path, "utf8")).split("\n").slice(0, -1);
  }

  #log(
    accessLogFormat: NonNullable<Parameters<typeof create<typeof FileAccessLogSchema>>[1]>["accessLogFormat"],
  ): AccessLog {
    const file = create(FileAccessLogSchema, { path: this.#path, accessLogFormat: accessLogFormat! });
    return create(AccessLogSchema, { configType: { case: "typedConfig", value: anyPack(FileAccessLogSchema, file) } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}
