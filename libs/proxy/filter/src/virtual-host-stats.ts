import { NamedCounts } from "@fairlead/stat-cells";

/** Virtual clusters are few, each with the totals, classes and codes of its responses. */
const CAPACITY = 512;

/** `vhost.<virtual host>.vcluster.<name>.…`, of all listeners. */
export class VirtualHostStats {
  readonly byName = new NamedCounts(CAPACITY);
}
