const clusterSuffix = ".svc.cluster.local";

/**
 * The interfaces that a host of a policy may mean, in lower case, the first that exists counts:
 *
 * 1. the name itself: `shop.Reviews`, `reviews`, `httpbin.org`;
 * 2. of a name of Kubernetes, `reviews.shop.svc.cluster.local`: `reviews.shop`, `shop.reviews`, `reviews`;
 * 3. of a name without a dot, in the policy's namespace: `shop.reviews`, for the interface `shop.Reviews`.
 */
export function hostCandidates(host: string, namespace: string): readonly string[] {
  const name = host.toLowerCase();
  if (name.endsWith(clusterSuffix)) {
    const short = name.slice(0, -clusterSuffix.length);
    const dot = short.lastIndexOf(".");
    if (dot <= 0) return [name, short];
    const [service, space] = [short.slice(0, dot), short.slice(dot + 1)];
    return [name, short, `${space}.${service}`, service];
  }
  return name.includes(".") || name === "*" ? [name] : [name, `${namespace}.${name}`];
}

/** The wildcards that a name is below, the narrowest first: `*.b.c` and `*.c` of `a.b.c`. `*` is not among them. */
export function wildcardsOf(name: string): readonly string[] {
  const parts = name.split(".");
  return parts.slice(1).map((_, index) => `*.${parts.slice(index + 1).join(".")}`);
}

/** `c` of `a.b.c`: all wildcards above a name end as it does. */
export function lastPartOf(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}
