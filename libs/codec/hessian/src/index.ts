export { HessianReader } from "./hessian-reader.ts";
export { Hessian2Reader } from "./hessian2-reader.ts";
export { type HessianValue, Hessian2ValueReader } from "./hessian2-value-reader.ts";
export { SofaHessianReader } from "./sofa-hessian-reader.ts";
export { hessian2String, sofaHessianString } from "./write-string.ts";
