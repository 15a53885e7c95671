// Tests that share one browser window: registered by name, run in order, each told as one line of JSON.

const registered = [];

/** Register a test; names are what pytest shows. */
export function test(name, run) {
  registered.push({ name, run });
}

/** Run all that are registered (or those whose name has one of the parts of `only` in it, `|` between them); between them the window is tidied up. */
export async function runAll(around, only) {
  for (const { name, run } of registered.filter((each) => !only || only.split('|').some((part) => each.name.includes(part)))) {
    const begun = Date.now();
    let error = null;
    try {
      await run(around);
      await around.code.tidy();
    } catch (problem) {
      error = problem instanceof Error ? (problem.stack ?? problem.message) : String(problem);
      await around.code.photograph(`failed-${name.replace(/\W+/g, '-').slice(0, 60)}`, around.failures);
      await around.code.tidy().catch(() => undefined); // what is wrong is told already
    }
    process.stdout.write(`${JSON.stringify({ name, error, ms: Date.now() - begun })}\n`);
  }
}

/** Fail with a message unless `truth`. */
export function check(truth, message) {
  if (!truth) {
    throw new Error(message);
  }
}

/** Fail unless two values have the same JSON. */
export function same(actual, expected) {
  const [got, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  check(got === wanted, `got ${got}\nwanted ${wanted}`);
}

/** Wait until `look` gives something true, and return it; `what` says what was waited for. */
export async function until(what, look, ms = Number(process.env.KHOJ_LS_WAIT ?? 15_000)) {
  const deadline = Date.now() + ms;
  for (;;) {
    const found = await look();
    if (found) {
      return found;
    }
    check(Date.now() < deadline, `waited ${ms} ms for: ${what}`);
    // What is looked at (a file, a window) does not say when it changes.
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
