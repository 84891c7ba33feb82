import "./connection-limit.ts";
