/** The settings of a stage, written into the owner's file and leaving alone what else is in it. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Document, parseDocument } from 'yaml';
import type { Answers } from './answers.ts';

/** The parameters that the answers decide. */
export const settingsOf = (answers: Answers): Record<string, string> => {
  const { region, apiVersion, domainName, certificateArn, alarmEmail, kmsKeyArn } = answers;
  const settings = { region, apiVersion, domainName, certificateArn, alarmEmail, kmsKeyArn };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value)) as Record<
    string,
    string
  >;
};

export function writeSettings(path: string, settings: Readonly<Record<string, string>>): void {
  const document = existsSync(path) ? parseDocument(readFileSync(path, 'utf8')) : new Document({});
  for (const [name, value] of Object.entries(settings)) {
    document.set(name, value);
  }
  const draft = `${path}.new`;
  writeFileSync(draft, document.toString({ lineWidth: 0 }));
  renameSync(draft, path);
}
