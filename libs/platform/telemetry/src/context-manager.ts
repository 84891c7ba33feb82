import { AsyncLocalStorage } from "node:async_hooks";
import { type Context, type ContextManager, ROOT_CONTEXT } from "@opentelemetry/api";

/** The active context follows what is awaited. */
export class AsyncContextManager implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();

  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT;
  }

  with<Args extends unknown[], Callback extends (...args: Args) => ReturnType<Callback>>(
    context: Context,
    callback: Callback,
    thisArg?: ThisParameterType<Callback>,
    ...args: Args
  ): ReturnType<Callback> {
    return this.#storage.run(context, () => callback.call(thisArg, ...args));
  }

  bind<Target>(context: Context, target: Target): Target {
    if (typeof target !== "function") return target;
    const bound = (...args: unknown[]): unknown =>
      this.#storage.run(context, () => (target as (...args: unknown[]) => unknown)(...args));
    return bound as Target;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    this.#storage.disable();
    return this;
  }
}
