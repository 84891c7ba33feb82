import { metrics } from "@opentelemetry/api";

/** The client's instruments. Made with the client, because the SDK must have been started before. */
export class AdsMetrics {
  readonly #connected;
  readonly #lostStreams;
  readonly #responses;

  constructor() {
    const meter = metrics.getMeter("fairlead");
    this.#connected = meter.createGauge("fairlead_ads_connected", {
      description: "1 while a gateway answers on the stream.",
    });
    this.#lostStreams = meter.createCounter("fairlead_ads_lost_streams_total", {
      description: "ADS streams that ended, or could not be opened.",
    });
    this.#responses = meter.createCounter("fairlead_ads_responses_total", {
      description: "Responses by type (cds, eds, lds, rds, other) and result (ack, nack).",
    });
    this.#connected.record(0);
  }

  connected(): void {
    this.#connected.record(1);
  }

  disconnected(): void {
    this.#connected.record(0);
  }

  lostStream(): void {
    this.#connected.record(0);
    this.#lostStreams.add(1);
  }

  response(type: string, result: "ack" | "nack"): void {
    this.#responses.add(1, { type, result });
  }
}
