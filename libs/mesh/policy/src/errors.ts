import { declareErrors } from "@fairlead/errors";

export const policyErrors = declareErrors("policy", {
  FL_POLICY_INVALID: {
    httpStatus: 422,
    meaning:
      "A policy cannot be used: it is not YAML, not of a known kind, has a field that Fairlead does not implement, or a value that a field may not have.",
    action:
      "`facts.problems` has file, line, column, field and reason of each; docs/reference/policies.md lists what is implemented. Nothing of the file was applied.",
  },
});
