export { collectStartGarbage } from "./start-garbage.ts";
export { type Destroyable, Dispatcher, type DispatcherOptions } from "./dispatcher.ts";
