/** The view “Index”: each vault with its counts, what is waiting, and what could not be read. */

import * as path from 'node:path';
import { Uri } from 'vscode';

import type { Server } from '../server/server';
import type { StatusResult, VaultStatus } from '../wire';
import type { Content, Row } from './tree';

const PHASES: Record<string, string> = {
  idle: 'up to date',
  scan: 'looking for changes',
  words: 'reading notes',
  chunk: 'cutting passages',
  embed: 'embedding',
  model: 'preparing the model',
  paused: 'paused',
  'read-only': 'read by another process',
  offline: 'folder not there',
};

/** A phase for people. */
export function phase(vault: Pick<VaultStatus, 'phase' | 'paused'>): string {
  return vault.paused ? 'paused' : (PHASES[vault.phase] ?? vault.phase);
}

/** The content for a status. */
export function indexStatus(server: Server, status: StatusResult | undefined): Content {
  if (!status) {
    return { rows: [], message: server.state.kind === 'running' ? '' : 'The server is not running.' };
  }
  const { daemon } = status;
  const process: Row[] = daemon
    ? [
        {
          label: 'Server',
          icon: 'server-process',
          description: `${daemon.version} · ${bytes(daemon.rss_bytes)} · ${count(daemon.sessions, 'connection')}`,
          tooltip: `process ${String(daemon.pid)}${daemon.worker ? `\n\nencoder: ${daemon.worker.state}` : ''}`,
        },
      ]
    : [];
  return {
    rows: [...status.vaults.map(vaultRow), ...process],
    message: status.vaults.length ? '' : 'No folder of notes is open. Open one, or list some under “vaults” in config.toml.',
  };
}

function vaultRow(vault: VaultStatus): Row {
  const troubles = (label: string, icon: string, found: readonly { path: string; line?: number; reason: string }[]): Row[] =>
    found.length
      ? [{ label, icon, description: String(found.length), expanded: false, rows: found.map((each) => trouble(vault, each)) }]
      : [];
  return {
    label: path.basename(vault.root),
    description: phase(vault) + (vault.eta_seconds ? `, ${time(vault.eta_seconds)} left` : ''),
    tooltip: [vault.root, vault.message].filter(Boolean).join('\n\n'),
    icon: vault.paused ? 'debug-pause' : vault.queue ? 'sync' : 'library',
    kind: 'vault',
    id: vault.root,
    rows: [
      { label: count(vault.files, 'note'), description: count(vault.entries, 'section'), icon: 'files' },
      {
        label: `${percent(vault.coverage)} found by meaning`,
        description: `${String(vault.embedded)} of ${count(vault.chunks, 'passage')}`,
        icon: 'circuit-board',
        tooltip: `model: ${vault.model}\n\nanswers by meaning: ${vault.vectors}`,
      },
      ...(vault.queue ? [{ label: `${String(vault.queue)} waiting`, icon: 'watch' }] : []),
      { label: bytes(vault.database_bytes), description: 'on disk', icon: 'database' },
      ...(vault.message ? [{ label: vault.message, icon: 'info', tooltip: vault.message }] : []),
      ...troubles('Not indexed', 'error', vault.failures),
      ...troubles('Read with warnings', 'warning', vault.warnings),
    ],
  };
}

function trouble(vault: VaultStatus, each: { path: string; line?: number; reason: string }): Row {
  const start = { line: Math.max(0, (each.line ?? 1) - 1), character: 0 };
  return {
    label: path.relative(vault.root, each.path) || each.path,
    description: each.reason,
    tooltip: each.reason,
    place: { uri: Uri.file(each.path).toString(), range: { start, end: start } },
  };
}

/** `1 note`, `2 notes`. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}

/** Whole percent; 100 only when nothing is missing. */
export function percent(share: number): string {
  return `${String(Math.floor(share * 100))} %`;
}

function bytes(size: number): string {
  return size < 1e6 ? `${String(Math.ceil(size / 1e3))} kB` : size < 1e9 ? `${(size / 1e6).toFixed(1)} MB` : `${(size / 1e9).toFixed(2)} GB`;
}

function time(seconds: number): string {
  return seconds < 90 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`;
}
