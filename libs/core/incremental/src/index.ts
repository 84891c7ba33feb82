export { type FailedOutput, Graph, type OutputChange, type PreviousValues, type Settled } from "./graph.ts";
export {
  type Compute,
  type Computation,
  computation,
  type Index,
  indexOf,
  type Input,
  input,
  type Reading,
  type Source,
} from "./source.ts";
