import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { helpOf, parseCommandLine, WrongUsage } from "./command-line.ts";
import { flag, oneOf, someOf, text, wholeNumber, wholeNumbers } from "./command-options.ts";

const syntax = {
  usage: "npm run paint -- [options] [<wall>]",
  options: {
    coats: wholeNumber(2, "coats of paint"),
    widths: wholeNumbers([5, 10], "of brushes, in cm"),
    colour: oneOf(["red", "blue"], "of the paint", "red"),
    rooms: someOf(["hall", "attic"], "to paint"),
    only: oneOf(["door", "window"], "a part of the wall"),
    "log-file": text("FILE", "what was painted"),
    dry: flag("waits until it is dry"),
  },
  words: [0, 1],
} as const;

function wrong(...args: string[]): string {
  try {
    parseCommandLine(args, syntax);
  } catch (error) {
    assert(error instanceof WrongUsage);
    return error.message;
  }
  return "nothing";
}

test("options that are not given have their defaults", () => {
  assert.deepEqual(parseCommandLine([], syntax), {
    options: {
      coats: 2,
      widths: [5, 10],
      colour: "red",
      rooms: new Set(["hall", "attic"]),
      only: undefined,
      "log-file": undefined,
      dry: false,
    },
    words: [],
  });
});

test("options are read, words are told from them", () => {
  const { options, words } = parseCommandLine(
    ["--coats", "0", "--widths=", "north", "--rooms", "Attic", "--only", "door", "--log-file", "x", "--dry"],
    syntax,
  );
  assert.deepEqual(options, {
    coats: 0,
    widths: [],
    colour: "red",
    rooms: new Set(["attic"]),
    only: "door",
    "log-file": "x",
    dry: true,
  });
  assert.deepEqual(words, ["north"]);
});

test("what is wrong is said in one line", () => {
  assert.equal(wrong("--nonsense"), "Unknown option '--nonsense'");
  assert.equal(wrong("--coats"), "Option '--coats <value>' argument missing");
  assert.equal(wrong("--coats", "--dry"), "Option '--coats' argument is ambiguous");
  assert.equal(wrong("--dry=yes"), "Option '--dry' does not take an argument");
  assert.equal(wrong("--coats", "two"), "--coats two: it takes a whole number");
  assert.equal(wrong("--coats="), "--coats : it takes a whole number");
  assert.equal(wrong("--widths", "5,-1"), "--widths 5,-1: it takes a whole number");
  assert.equal(wrong("--colour", "green"), "--colour green: there is red, blue, and no green");
  assert.equal(wrong("--rooms", "hall,loft"), "--rooms hall,loft: there is hall, attic, and no loft");
  assert.equal(wrong("north", "south"), "south is one word too many");
  assert.throws(() => parseCommandLine([], { usage: "", words: [1, 2] }), /a word is missing/);
});

test("help lists the options with their defaults", () => {
  assert.equal(
    helpOf(syntax),
    `npm run paint -- [options] [<wall>]

  --coats N        coats of paint [2]
  --widths N,N,…   of brushes, in cm [5,10]
  --colour NAME    of the paint: red, blue [red]
  --rooms NAME,…   to paint: hall, attic
  --only NAME      a part of the wall: door, window
  --log-file FILE  what was painted
  --dry            waits until it is dry
  --help           this text
`,
  );
});

test("a command ends with 2 and one line over what it does not take, and with 0 when asked for help", () => {
  const main = join(import.meta.dirname, "testing/command-that-greets.ts");
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });
    return { status, stdout, stderr };
  };
  assert.deepEqual(run("--times", "2"), { status: 0, stdout: "hello hello\n", stderr: "" });
  assert.deepEqual(run("--nonsense"), {
    status: 2,
    stdout: "",
    stderr: "Unknown option '--nonsense'; --help tells what there is\n",
  });
  const { status, stdout } = run("--help", "--nonsense");
  assert.equal(status, 0);
  assert.match(stdout, /^greets\n\n {2}--times N {2}a greeting \[1\]\n/);
});

test("a service takes no options: they would be settings that it does not heed", () => {
  const main = join(import.meta.dirname, "testing/service-that-ends.ts");
  const run = (...args: string[]) => spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });
  assert.equal(run().status, 7);
  const { status, stderr } = run("--port");
  assert.deepEqual([status, stderr], [64, "--port: it takes no options; --help tells what there is\n"]);
  assert.match(run("--help").stdout, /docs\/reference\/config\.md/);
});
