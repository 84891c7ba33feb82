export { CannotRun, envoyBinary, envoyVersion } from "@fairlead/testing-servers";
