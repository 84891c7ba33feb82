/** What V8 knows of a process's memory. */
export interface HeapUse {
  /** Live JavaScript objects, after a full collection if one was asked for. */
  readonly usedBytes: number;
  /** Buffers and other memory outside of the heap that JavaScript objects hold. */
  readonly externalBytes: number;
  /** All that was ever allocated on the JavaScript heap. Only grows. */
  readonly allocatedBytes: number;
}

const heapUse = `(() => {
  const { used_heap_size, external_memory, total_allocated_bytes } = process.getBuiltinModule("v8").getHeapStatistics();
  return { usedBytes: used_heap_size, externalBytes: external_memory, allocatedBytes: total_allocated_bytes };
})()`;

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** The inspector of a Node process: asks it without a line of code in it. */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #open = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  #requests = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#answered(JSON.parse(String(data)) as Answer));
    socket.addEventListener("close", () => {
      for (const open of this.#open.values()) open.reject(new Error("the inspected process has ended"));
      this.#open.clear();
    });
  }

  static async connect(url: string): Promise<Inspector> {
    const socket = new WebSocket(url);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener("open", () => resolve());
      socket.addEventListener("error", () => reject(new Error(`no inspector at ${url}`)));
    });
    return new Inspector(socket);
  }

  /** Collects all garbage. */
  async collectGarbage(): Promise<void> {
    // Twice: what a first collection finalizes, the second one frees.
    await this.#ask("HeapProfiler.collectGarbage");
    await this.#ask("HeapProfiler.collectGarbage");
  }

  async heapUse(): Promise<HeapUse> {
    const answer = await this.#ask("Runtime.evaluate", { expression: heapUse, returnByValue: true });
    return (answer as { result: { value: HeapUse } }).result.value;
  }

  /** Records where the process spends its time until `stopProfile`. */
  async startProfile(): Promise<void> {
    await this.#ask("Profiler.enable");
    await this.#ask("Profiler.start");
  }

  /** @returns the content of a .cpuprofile file */
  async stopProfile(): Promise<string> {
    const { profile } = (await this.#ask("Profiler.stop")) as { profile: unknown };
    return JSON.stringify(profile);
  }

  close(): void {
    this.#socket.close();
  }

  async #ask(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#requests;
    return await new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  #answered({ id, result, error }: Answer): void {
    if (id === undefined) return;
    const open = this.#open.get(id);
    this.#open.delete(id);
    if (error === undefined) open?.resolve(result);
    else open?.reject(new Error(error.message));
  }
}
