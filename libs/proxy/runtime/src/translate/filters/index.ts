/** The filters that come with the proxy; each registers itself. Others do the same in packages of their own. */
import "./buffer.ts";
import "./compressor.ts";
import "./cors.ts";
import "./fault.ts";
import "./header-mutation.ts";
import "./health-check.ts";
import "./local-rate-limit.ts";
