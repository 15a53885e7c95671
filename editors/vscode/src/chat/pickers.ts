/** Who answers, and with which model. */

import { type QuickPickItem, QuickPickItemKind, window } from 'vscode';

import type { ChoicesResult, ModelChoice } from '../wire';

/** What was chosen; no name: as in the settings. */
export interface Chosen {
  readonly name: string | undefined;
}

type Item = QuickPickItem & { readonly value: Chosen };

/** Choose a persona; undefined when nothing was chosen. */
export async function pickPersona(choices: ChoicesResult, now: string | undefined): Promise<Chosen | undefined> {
  const items: Item[] = choices.personas.map((each) => ({
    label: mark(each.name === (now ?? choices.persona)) + each.name,
    description: each.source === 'built-in' ? '' : each.source,
    detail: each.about,
    value: { name: each.name },
  }));
  return (await window.showQuickPick(items, { title: 'Who answers', matchOnDetail: true }))?.value;
}

/** Choose a model; undefined when nothing was chosen. */
export async function pickModel(choices: ChoicesResult, now: string | undefined): Promise<Chosen | undefined> {
  const usual = choices.model || 'no model: passages';
  const ready = choices.models.filter((each) => isReady(each));
  const others = choices.models.filter((each) => !isReady(each));
  const items: Item[] = [
    { label: mark(now === undefined) + 'As in the settings', description: usual, value: { name: undefined } },
    { label: mark(now === 'none') + 'No model', description: 'the passages themselves are the answer', value: { name: 'none' } },
    ...separated('can be asked now', ready.map((each) => item(each, now))),
    ...separated('not ready', others.map((each) => item(each, now))),
  ];
  return (await window.showQuickPick(items, { title: 'The chat model', matchOnDescription: true }))?.value;
}

function isReady(model: ModelChoice): boolean {
  return model.key !== 'missing' && model.installed !== false;
}

function item(model: ModelChoice, now: string | undefined): Item {
  const where = model.remote ? `sends passages to ${model.host}` : 'on this machine';
  const lacks = model.key === 'missing' ? 'key missing' : model.installed === false ? 'not installed' : '';
  return {
    label: mark(model.name === now) + model.name,
    description: [where, `${String(Math.round(model.window / 1024))}k`, lacks].filter(Boolean).join(' · '),
    value: { name: model.name },
  };
}

function separated(label: string, items: Item[]): Item[] {
  return items.length ? [{ label, kind: QuickPickItemKind.Separator, value: { name: undefined } }, ...items] : [];
}

function mark(chosen: boolean): string {
  return chosen ? '$(check) ' : '';
}
