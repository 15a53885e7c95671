// Tests that share one browser window: registered by name, run in order, each told as one line of JSON.

const registered = [];

/** Register a test; names are what pytest shows. */
export function test(name, run) {
  registered.push({ name, run });
}

/**
 * Run all that are registered (or those whose name has one of the parts of `only` in it, `|` between them); between them the window is tidied up.
 * A key that is pressed while a busy machine draws is lost: what fails is tried once more, in a window that was loaded anew. `first` tells what went wrong then.
 */
export async function runAll(around, only) {
  for (const { name, run } of registered.filter((each) => !only || only.split('|').some((part) => each.name.includes(part)))) {
    const begun = Date.now();
    const first = await tried(name, run, around);
    const error = first && ((await begunAnew(around)) ?? (await tried(name, run, around)));
    process.stdout.write(`${JSON.stringify({ name, error, first, ms: Date.now() - begun })}\n`);
  }
}

/** What went wrong in a test, with a picture of it; null when nothing did. */
async function tried(name, run, around) {
  try {
    await run(around);
    await around.code.tidy();
    return null;
  } catch (problem) {
    await around.code.photograph(`failed-${name.replace(/\W+/g, '-').slice(0, 60)}-${Date.now()}`, around.failures);
    return told(problem);
  }
}

/** Load the window anew and put the notes back that tests write in; what went wrong with that, or null. */
async function begunAnew(around) {
  try {
    await around.anew();
    return null;
  } catch (problem) {
    return told(problem);
  }
}

const told = (problem) => (problem instanceof Error ? (problem.stack ?? problem.message) : String(problem));

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
