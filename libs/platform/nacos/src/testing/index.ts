export { type Answer, startNacosStandIn, type NacosStandIn } from "./nacos-stand-in.ts";
