import { isGauge } from "./stat-kind.ts";

/** A name whose middle is a tag in Envoy: what a user has named must not make a metric of its own. */
interface TaggedPrefix {
  readonly prefix: string;
  readonly tag: string;
}

const tagged: readonly TaggedPrefix[] = [
  { prefix: "cluster", tag: "envoy_cluster_name" },
  { prefix: "http", tag: "envoy_http_conn_manager_prefix" },
  { prefix: "rpc", tag: "envoy_rpc_prefix" },
  { prefix: "tcp", tag: "envoy_tcp_prefix" },
  { prefix: "listener", tag: "envoy_listener_address" },
];

/** Statistics whose own names have dots. */
const groups =
  /\.((?:circuit_breakers\.default|outlier_detection|health_check|http2|fault|cors|http_local_rate_limit)\.[a-z0-9_.]+)$/;
/** `<address>_<port>.` and a name of its own, which may be a filter's: of a third party, too. */
const listenerStat = /^.*?_\d+\.(.+)$/;
const responseCode = /_rq_(\d{3}|\dxx)$/;

interface Sample {
  readonly metric: string;
  readonly labels: string;
  readonly value: number;
}

function sampleOf(name: string, value: number): Sample {
  const labels: [string, string][] = [];
  let rest = name;
  const found = tagged.find(({ prefix }) => name.startsWith(`${prefix}.`));
  if (found !== undefined) {
    const inner = name.slice(found.prefix.length + 1);
    const ofListener = found.prefix === "listener" ? listenerStat.exec(inner)?.[1] : undefined;
    const stat = ofListener ?? groups.exec(inner)?.[1] ?? inner.slice(inner.lastIndexOf(".") + 1);
    const middle = inner.slice(0, -stat.length - 1);
    if (middle !== "") labels.push([found.tag, middle]);
    rest = `${found.prefix}.${stat}`;
  }
  const code = responseCode.exec(rest)?.[1];
  if (code !== undefined) {
    const isClass = code.endsWith("xx");
    labels.push([isClass ? "envoy_response_code_class" : "envoy_response_code", isClass ? code.slice(0, 1) : code]);
    rest = rest.replace(responseCode, isClass ? "_rq_xx" : "_rq");
  }
  const text = labels.map(([tag, content]) => `${tag}="${escaped(content)}"`).join(",");
  return { metric: `envoy_${rest.replaceAll(/[^A-Za-z0-9_]/g, "_")}`, labels: text === "" ? "" : `{${text}}`, value };
}

const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
/** Envoy's statistics in Prometheus' text format: names and tags as Envoy's. */
export function prometheusText(stats: ReadonlyMap<string, number>): string {
  const families = new Map<string, string[]>();
  for (const [name, value] of stats) {
    const { metric, labels } = sampleOf(name, value);
    const lines = families.get(metric) ?? [];
    families.set(metric, lines);
    lines.push(`${metric}${labels} ${value}\n`);
  }
  return [...families]
    .map(([metric, lines]) => `# TYPE ${metric} ${isGauge(metric) ? "gauge" : "counter"}\n${lines.join("")}`)
    .join("");
}
