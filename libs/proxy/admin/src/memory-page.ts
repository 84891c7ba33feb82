import { getHeapStatistics } from "node:v8";
import { threadPools } from "@fairlead/pool";

/** In the shape of Envoy's `envoy.admin.v3.Memory`; V8's heap in the place of tcmalloc's. Of this thread, but for the whole's resident bytes. */
export function memoryPage(): object {
  const heap = getHeapStatistics();
  const { rss, external, arrayBuffers } = process.memoryUsage();
  return {
    allocated: String(heap.used_heap_size),
    heap_size: String(heap.total_heap_size),
    pageheap_unmapped: "0",
    pageheap_free: String(heap.total_available_size),
    total_thread_cache: "0",
    total_physical_bytes: String(rss),
    // Not Envoy's.
    external: String(external),
    array_buffers: String(arrayBuffers),
    pools: Object.fromEntries(threadPools.stats()),
  };
}
