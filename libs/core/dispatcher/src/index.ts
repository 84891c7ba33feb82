export { type Destroyable, Dispatcher, type DispatcherOptions } from "./dispatcher.ts";
