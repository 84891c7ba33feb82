import { declareErrors } from "@fairlead/errors";

export const commandLineErrors = declareErrors("fairlead", {
  FL_CLI_USAGE: {
    httpStatus: 400,
    meaning: "The command line is not one that `fairlead` takes. Exit code 64.",
    action: "`fairlead --help` and `fairlead <command> --help` show what it takes, with examples.",
  },
  FL_CLI_FILE: {
    httpStatus: 400,
    meaning: "A file named on the command line cannot be read, or is not UTF-8.",
    action: "Check the path, its permissions, and how the file is encoded.",
  },
  FL_CLI_UNREACHABLE: {
    httpStatus: 503,
    meaning: "The command line got no answer from registry-sync.",
    action: "Start the mesh (`npm run up`), or name the right address with --registry or FAIRLEAD_REGISTRY_URL.",
  },
  FL_CLI_BAD_ANSWER: {
    httpStatus: 502,
    meaning: "What answered is not registry-sync, or one of another version.",
    action: "Check the address of --registry or FAIRLEAD_REGISTRY_URL, and that both are of the same version.",
  },
  FL_UP_PORT_TAKEN: {
    httpStatus: 500,
    meaning: "`fairlead up` needs a port that another process listens on.",
    action: "Stop the other process (`ss -ltnp`), or start with --free-ports or --port-base.",
  },
  FL_UP_FOLDER_IN_USE: {
    httpStatus: 500,
    meaning: "Another `fairlead up` runs on the same data folder.",
    action: "Stop it, or give this one its own folder with --data-folder.",
  },
  FL_UP_FOLDER_UNUSABLE: {
    httpStatus: 500,
    meaning: "The data folder cannot be made or written.",
    action: "Give another one with --data-folder, or fix its permissions.",
  },
  FL_UP_PROCESS_ENDED: {
    httpStatus: 500,
    meaning: "A process of the mesh that `fairlead up` started has ended by itself.",
    action: "The message has its last log lines and the path of its log file.",
  },
  FL_UP_NOT_READY: {
    httpStatus: 500,
    meaning: "A process of the mesh that `fairlead up` started did not become ready in time.",
    action: "The message says what it waits for and has the path of its log file.",
  },
});
