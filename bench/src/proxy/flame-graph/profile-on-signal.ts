/** Loaded before a program (`node --import`): on SIGUSR2 it is profiled for some seconds; the profile is written to `FAIRLEAD_PROFILE`. */
import { renameSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector";

const samplingIntervalUs = 200;
const seconds = Number(process.env.FAIRLEAD_PROFILE_SECONDS ?? 5);

process.on("SIGUSR2", () => {
  const session = new Session();
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.setSamplingInterval", { interval: samplingIntervalUs });
  session.post("Profiler.start");
  setTimeout(
    () =>
      session.post("Profiler.stop", (_error, { profile }) => {
        // Whoever waits for it finds all of it.
        const file = process.env.FAIRLEAD_PROFILE ?? "profile.cpuprofile";
        writeFileSync(`${file}.new`, JSON.stringify(profile));
        renameSync(`${file}.new`, file);
      }),
    seconds * 1000,
  );
});
