// Drives VS Code (code-server on loopback) in Chromium. usage: node run.mjs SETUP.json [PART OF A NAME|...]

import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

import { runAll } from './harness.mjs';
import { Workbench } from './workbench.mjs';

const setup = JSON.parse(readFileSync(process.argv[2], 'utf8'));
for (const part of setup.scripts) {
  await import(`./${part}`);
}
const browser = await chromium.launch({
  executablePath: setup.chromium,
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, permissions: ['clipboard-read', 'clipboard-write'] });
const page = await context.newPage();
/** Every address outside this machine that the window asked for. */
const outside = [];
context.on('request', (request) => {
  const { hostname, protocol } = new URL(request.url());
  if (/^(https?|wss?):$/.test(protocol) && hostname !== '127.0.0.1') {
    outside.push(request.url());
  }
});
const code = new Workbench(page);
await code.open(setup.url, setup.notes);
/** The window and what the tests write in, as at the start. */
const anew = async () => {
  if (existsSync(`${setup.program}.away`)) {
    renameSync(`${setup.program}.away`, setup.program);
  }
  await code.leave();
  for (const name of readdirSync(`${setup.notes}/desk`).filter((each) => !(each in setup.desk))) {
    rmSync(`${setup.notes}/desk/${name}`, { recursive: true });
  }
  for (const [name, text] of Object.entries(setup.desk)) {
    writeFileSync(`${setup.notes}/desk/${name}`, text);
  }
  await code.open(setup.url, setup.notes);
  await code.tidy();
};
await runAll({ code, setup, outside, anew, failures: setup.failures }, process.argv[3]);
await browser.close();
