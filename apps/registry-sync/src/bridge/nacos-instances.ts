import {
  type ApplicationInstance,
  applicationInNacos,
  weighted,
  isDubboService,
  ordinaryInNacos,
  originParameter,
  type Provider,
  providerInNacos,
} from "@fairlead/dubbo-registry";
import type { Protocol } from "@fairlead/model";
import type { NacosInstance } from "@fairlead/nacos";
import type { ApplicationQuestions } from "./application-questions.ts";

/** What is at one source of a Nacos: an instance of a service. */
interface Known {
  /** As it was told: the same text, the same providers. */
  readonly text: string;
  readonly instance: NacosInstance;
  /** Where it is asked: what it was before, which stays. */
  providers: readonly Provider[];
  asked: boolean;
}

/**
 * What instances of Nacos' services are to the mesh. Each is a source of its own, so that one that goes is told as gone, and not as one that
 * was taken out of a service.
 */
export class NacosInstances {
  readonly #questions: ApplicationQuestions;
  readonly #ordinary: Protocol | undefined;
  readonly #services = new Map<string, Map<string, Known>>();

  constructor(questions: ApplicationQuestions, ordinary: Protocol | undefined) {
    this.#questions = questions;
    this.#ordinary = ordinary;
  }

  /** All that is known, by source. */
  get providers(): ReadonlyMap<string, readonly Provider[]> {
    const all = [...this.#services.values()].flatMap((sources) => [...sources]);
    return new Map(
      all.filter(([, { providers }]) => providers.length > 0).map(([source, { providers }]) => [source, providers]),
    );
  }

  get services(): Iterable<string> {
    return this.#services.keys();
  }

  has(source: string): boolean {
    return this.#services.get(serviceOf(source))?.has(source) ?? false;
  }

  /** @returns sources that are not what they were, with what they are now */
  put(service: string, instances: readonly NacosInstance[]): ReadonlyMap<string, readonly Provider[]> {
    const before = this.#services.get(service) ?? new Map<string, Known>();
    const now = new Map<string, Known>();
    const changed = new Map<string, readonly Provider[]>();
    for (const instance of instances) {
      // One that gives no signs of life is as one that is gone: it may come back.
      if (!instance.healthy || instance.metadata[originParameter] !== undefined) continue;
      const source = `${service} ${instance.ip}:${instance.port} ${instance.cluster}`;
      const text = JSON.stringify(instance);
      const same = before.get(source);
      if (same?.text === text) {
        now.set(source, same);
        continue;
      }
      const providers = this.#providersOf(service, source, instance);
      const asked = providers === undefined;
      now.set(source, { text, instance, providers: providers ?? same?.providers ?? [], asked });
      if (!asked && (providers.length > 0 || isToTell(same))) changed.set(source, providers);
    }
    for (const [source, known] of before) {
      if (now.has(source)) continue;
      this.#questions.forget(source);
      if (isToTell(known)) changed.set(source, []);
    }
    if (now.size === 0) this.#services.delete(service);
    else this.#services.set(service, now);
    return changed;
  }

  /** An instance has told what it serves. @returns undefined where it is gone meanwhile */
  answered(source: string, providers: readonly Provider[]): readonly Provider[] | undefined {
    const known = this.#services.get(serviceOf(source))?.get(source);
    if (known === undefined) return undefined;
    known.asked = false;
    known.providers = providers.map((provider) => weighted(known.instance, provider));
    return known.providers;
  }

  /** @returns undefined while it is being asked */
  #providersOf(service: string, source: string, instance: NacosInstance): readonly Provider[] | undefined {
    if (isDubboService(service)) {
      const provider = providerInNacos(service, instance);
      return provider === undefined ? [] : [provider];
    }
    const application = applicationInNacos(service, instance);
    if (application !== undefined)
      return this.#questions.providersAt(source, application)?.map((provider) => weighted(instance, provider));
    return this.#ordinary === undefined ? [] : [ordinaryInNacos(service, instance, this.#ordinary)];
  }
}

function serviceOf(source: string): string {
  return source.slice(0, source.indexOf(" "));
}

/** Whether somebody counts on what is at a source, or waits for it: it is told when there is nothing. */
function isToTell(known: Known | undefined): boolean {
  return known !== undefined && (known.asked || known.providers.length > 0);
}

/** Those of Dubbo 3, whose metadata is to be read first. */
export function applicationsIn(
  services: ReadonlyMap<string, readonly NacosInstance[]>,
): readonly ApplicationInstance[] {
  return [...services].flatMap(([service, instances]) =>
    isDubboService(service)
      ? []
      : instances.flatMap((instance) =>
          instance.metadata[originParameter] === undefined ? (applicationInNacos(service, instance) ?? []) : [],
        ),
  );
}
