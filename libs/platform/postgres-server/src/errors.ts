import { declareErrors } from "@fairlead/errors";

export const postgresServerErrors = declareErrors("postgres-server", {
  FL_POSTGRES_UNAVAILABLE: {
    httpStatus: 500,
    meaning: "There are no packaged PostgreSQL binaries that can run on this machine.",
    action:
      "Set FAIRLEAD_DATABASE_URL to a PostgreSQL of your own (14 or newer), or run `npm ci` again on a supported platform.",
  },
  FL_POSTGRES_START_FAILED: {
    httpStatus: 500,
    meaning: "The packaged PostgreSQL did not start.",
    action:
      "The message ends with PostgreSQL's own words. Mostly the port is taken, the disk is full, or the data folder belongs to another account.",
  },
});
