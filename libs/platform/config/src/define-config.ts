import { FairleadError } from "@fairlead/errors";
import { z } from "zod";
import "./errors.ts";

/** One line of docs/reference/config.md. */
export interface ConfigRow {
  readonly variable: string;
  readonly default: string;
  readonly description: string;
}

export interface ConfigDefinition<Shape extends z.ZodRawShape> {
  readonly app: string;
  /** @throws FairleadError FL_CONFIG_INVALID naming every variable that is wrong */
  load(environment?: Readonly<Record<string, string | undefined>>): z.output<z.ZodObject<Shape>>;
  rows(): ConfigRow[];
}

/** `httpPort` is read from FAIRLEAD_HTTP_PORT. */
function variableOf(field: string): string {
  return `FAIRLEAD_${field.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** A URL may carry a password, also one that is wrong in another way; this message reaches logs. */
function withoutLogin(value: string): string {
  return value.replaceAll(/[^\s,/]*@/g, "***@");
}

/**
 * The settings of one app: a zod shape whose fields all carry a `.describe()`. Read once, in the app's `config.ts`.
 * An empty variable counts as not set, as compose files write it.
 */
export function defineConfig<Shape extends z.ZodRawShape>(app: string, shape: Shape): ConfigDefinition<Shape> {
  const schema = z.object(shape);
  return {
    app,
    load(environment = process.env) {
      const raw: Record<string, string> = {};
      for (const field of Object.keys(shape)) {
        const value = environment[variableOf(field)];
        if (value !== undefined && value !== "") raw[field] = value;
      }
      const parsed = schema.safeParse(raw);
      if (parsed.success) return parsed.data;
      const problems = parsed.error.issues.map((issue) => {
        const field = String(issue.path[0]);
        const value = raw[field];
        return value === undefined
          ? `${variableOf(field)} is not set and has no default`
          : `${variableOf(field)}: ${issue.message} (it is ${JSON.stringify(withoutLogin(value))})`;
      });
      throw new FairleadError("FL_CONFIG_INVALID", `${app} cannot start: ${problems.join("; ")}`, {
        facts: { app, problems },
      });
    },
    rows() {
      return Object.entries(shape).map(([field, type]) => {
        const json = z.toJSONSchema(type as z.ZodType, { io: "input", unrepresentable: "any" }) as {
          default?: string | number | boolean;
          description?: string;
        };
        return {
          variable: variableOf(field),
          default: json.default === undefined ? "" : String(json.default),
          description: (type as z.ZodType).description ?? json.description ?? "",
        };
      });
    },
  };
}
