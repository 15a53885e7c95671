// When a server that ended is started again.

import assert from 'node:assert/strict';
import test from 'node:test';

import { DELAYS, Restarts, STEADY } from '../../../../editors/vscode/src/server/restarts';

test('later each time, then not any more', () => {
  const restarts = new Restarts(() => 0);
  const pauses = [...DELAYS, undefined].map(() => {
    restarts.started();
    return restarts.ended();
  });
  assert.deepEqual(pauses, [...DELAYS, undefined]);
  assert.deepEqual(DELAYS.toSorted((one, other) => one - other), [...DELAYS]);
});

test('a server that had run well, and one that is started by hand, get all tries again', () => {
  let now = 0;
  const restarts = new Restarts(() => now);
  restarts.ended();
  restarts.started();
  now += STEADY;
  assert.equal(restarts.ended(), DELAYS[0]);
  assert.equal(restarts.ended(), DELAYS[1]);
  restarts.forget();
  assert.equal(restarts.ended(), DELAYS[0]);
});
