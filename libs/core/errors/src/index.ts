export { declareErrors, declaredErrors, meaningOf, type DeclaredError, type ErrorMeaning } from "./declare-errors.ts";
export { FairleadError, type ErrorFacts } from "./fairlead-error.ts";
