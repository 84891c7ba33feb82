/** A process for tests of supervision: does what its argument says, and says `{pid}` first. */
const behaviour = process.argv[2];
const sayHello = () => process.send?.({ pid: process.pid });
if (behaviour === "crash") {
  sayHello();
  process.stdout.write(
    `${JSON.stringify({ level: "fatal", msg: "could not start", err: { message: "the port is taken" } })}\n`,
  );
  process.exitCode = 3;
} else {
  process.on("SIGTERM", () => {
    if (behaviour === "deaf") return;
    process.stdout.write("stopped in order\n");
    process.exit(0);
  });
  setInterval(() => undefined, 1000);
  sayHello();
}
