export { compilerSchema, type CompilerStatus } from "./compiler.ts";
export {
  type ConvergenceReport,
  convergenceReportSchema,
  type MissingProxy,
  type WaitQuery,
  waitQuerySchema,
} from "./convergence.ts";
export {
  type CallExplanation,
  callExplanationSchema,
  type ExplainedCluster,
  explainQuerySchema,
} from "./explanation.ts";
export { registrationErrors } from "./errors.ts";
export { type NodeBody, nodeReferenceSchema, nodeSchema } from "./node.ts";
export {
  type Audience,
  type Preview,
  type PreviewedObject,
  previewedObjectSchema,
  type PreviewedResource,
  previewSchema,
  type RejectedObject,
} from "./preview.ts";
export { type Origin, originText, originsText, type Refusal, refusalSchema, refusalText } from "./refusal.ts";
export {
  changeAnswerSchema,
  type InstanceStateRequest,
  instanceStateRequestSchema,
  leaseAnswerSchema,
  type PublishRequest,
  publishRequestSchema,
  registerNodeRequestSchema,
  renewLeaseRequestSchema,
  type SubscribeRequest,
  subscribeRequestSchema,
  type UnpublishRequest,
  unpublishRequestSchema,
  type UnsubscribeRequest,
  unsubscribeRequestSchema,
} from "./requests.ts";
export {
  type PublicationAnswer,
  publicationAnswerSchema,
  type PublicationBody,
  reservedInterface,
  type ServiceBody,
  serviceReferenceSchema,
  serviceSchema,
  type ServiceReference,
} from "./service.ts";
export { policyTextOf } from "./policy-text.ts";
