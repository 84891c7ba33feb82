import { FairleadError } from "@fairlead/errors";
import type { z } from "zod";
import type { ConfigDefinition } from "./define-config.ts";
import "./errors.ts";

interface Loaded<Value> {
  readonly value?: Value;
  readonly problems: readonly string[];
}

function attempt<Shape extends z.ZodRawShape>(
  definition: ConfigDefinition<Shape>,
  environment: Readonly<Record<string, string | undefined>>,
): Loaded<z.output<z.ZodObject<Shape>>> {
  try {
    return { value: definition.load(environment), problems: [] };
  } catch (caught) {
    const { facts } = FairleadError.from(caught);
    if (!Array.isArray(facts["problems"])) throw caught;
    return { problems: facts["problems"].map(String) };
  }
}

/**
 * The settings of an app and those of its process.
 *
 * @throws FairleadError FL_CONFIG_INVALID naming every variable of both that is wrong
 */
export function loadTogether<App extends z.ZodRawShape, Process extends z.ZodRawShape>(
  app: ConfigDefinition<App>,
  process_: ConfigDefinition<Process>,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): [app: z.output<z.ZodObject<App>>, process: z.output<z.ZodObject<Process>>] {
  const [first, second] = [attempt(app, environment), attempt(process_, environment)];
  const problems = [...first.problems, ...second.problems];
  if (first.value !== undefined && second.value !== undefined) return [first.value, second.value];
  throw new FairleadError("FL_CONFIG_INVALID", `${app.app} cannot start: ${problems.join("; ")}`, {
    facts: { app: app.app, problems },
  });
}
