/** A rule as a registry has it. */
export type RuleDocument =
  | {
      /** A URL in the `configurators` or `routers` of an interface, as Dubbo before 2.7 has them. */
      readonly form: "url";
      readonly interface: string;
      readonly url: string;
    }
  | {
      /** An item of the configuration centre: `org.x.Greeter::.condition-router`, `shop.tag-router`; YAML. */
      readonly form: "item";
      readonly key: string;
      readonly text: string;
    };
