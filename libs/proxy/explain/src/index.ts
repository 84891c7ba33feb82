export { type RequestToExplain, type RouteTaken, routeTaken } from "./route-taken.ts";
