export * from "../gen/fairlead/v1/registry_pb.js";
export * from "../gen/fairlead/v1/config_pb.js";
export * from "../gen/fairlead/v1/status_pb.js";
export * from "../gen/fairlead/v1/rpc_proxy_pb.js";
export * from "../gen/fairlead/v1/nacos_pb.js";
