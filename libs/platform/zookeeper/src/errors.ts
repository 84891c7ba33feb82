import { declareErrors } from "@fairlead/errors";

export const zooKeeperErrors = declareErrors("zookeeper", {
  FL_ZOOKEEPER_UNAVAILABLE: {
    httpStatus: 503,
    meaning:
      "ZooKeeper cannot be reached, or the connection was lost before it answered: whether a change was made is not known.",
    action:
      "Nothing, when it is short: the client connects again by itself. Otherwise look whether the servers of the connect string run and may be reached.",
  },
  FL_ZOOKEEPER_REFUSED: {
    httpStatus: 502,
    meaning: "ZooKeeper answered an operation with an error, named in `reason`, such as no-node or no-auth.",
    action:
      "For no-auth check the credentials and the access list of the path in `path`; for others look at the node there.",
  },
  FL_ZOOKEEPER_ADDRESS_INVALID: {
    httpStatus: 400,
    meaning: "A connect string is not host:port,host:port/path.",
    action:
      "Write the servers as `zk1:2181,zk2:2181`, with a path behind them only where the tree does not begin at the root.",
  },
});
