const regionLabel = "topology.kubernetes.io/region";
const zoneLabel = "topology.kubernetes.io/zone";
const subzoneLabel = "topology.istio.io/subzone";

/** @returns `region/zone/subzone` by the labels that clusters have; shorter where they are not all there, empty without a region */
export function localityOf(labels: Readonly<Record<string, string>>): string {
  const parts: string[] = [];
  for (const label of [regionLabel, zoneLabel, subzoneLabel]) {
    const value = labels[label];
    if (value === undefined || value === "") break;
    parts.push(value);
  }
  return parts.join("/");
}
