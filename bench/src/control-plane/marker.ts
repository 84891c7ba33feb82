import { eachField } from "./load/wire.ts";

/**
 * A marker is a service whose endpoints' weights carry a number, so that a client can tell from an assignment which of the changes it
 * shows: all endpoints but one weigh 1, and that one weighs the number of the change.
 */
export const markerPrefix = "bench.Marker-";
export const markers = 10;
/** `weight` of a publication ends here. */
export const maxMark = 10_000;

export function markerService(index: number): string {
  return `${markerPrefix}${String(index).padStart(4, "0")}`;
}

const clusterPrefix = Buffer.from(`outbound|http||${markerPrefix}`);
const nameLength = clusterPrefix.byteLength + 4;

/** @returns the index of the marker that the name `bytes[start, end)` is of; undefined for all other names */
export function markerOf(bytes: Buffer, start: number, end: number): number | undefined {
  if (end - start !== nameLength) return undefined;
  // The last differing byte first: most names are of other services.
  for (let at = clusterPrefix.byteLength - 1; at >= 0; at -= 1) {
    if (bytes[start + at] !== clusterPrefix[at]) return undefined;
  }
  return Number(bytes.toString("latin1", start + clusterPrefix.byteLength, end));
}

/** @returns the number of the change that the ClusterLoadAssignment `bytes[start, end)` shows */
export function markOf(bytes: Buffer, start: number, end: number): number {
  let weights = 0;
  let endpoints = 0;
  eachField(bytes, start, end, (locality) => {
    if (locality.number !== 2) return;
    eachField(bytes, locality.start, locality.end, (endpoint) => {
      if (endpoint.number !== 2) return;
      endpoints += 1;
      eachField(bytes, endpoint.start, endpoint.end, (weight) => {
        if (weight.number !== 4) return;
        eachField(bytes, weight.start, weight.end, (value) => {
          weights += value.value;
        });
      });
    });
  });
  return weights - (endpoints - 1);
}
