/** The schemas of docs/events/, as an independent validator reads them. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { listProjectFiles, readProjectFile } from '../repo/project.ts';

export interface EventSchema {
  readonly title: string;
  readonly properties: Readonly<Record<string, { readonly description?: string }>>;
  readonly required: readonly string[];
  readonly examples: readonly Readonly<Record<string, unknown>>[];
}

const ajv = new Ajv2020({
  allErrors: true,
  strict: true,
  strictTypes: false,
  strictRequired: false,
});
// A module of CommonJS: its function is the module.
(addFormats as unknown as (ajv: Ajv2020) => void)(ajv);

/** Every schema by its `detail-type`. */
export const EVENT_SCHEMAS: ReadonlyMap<string, EventSchema> = new Map(
  listProjectFiles('docs/events/*.schema.json').map((path) => {
    const schema = JSON.parse(readProjectFile(path)) as EventSchema;
    return [schema.title, schema];
  }),
);

const validators: ReadonlyMap<string, ValidateFunction> = new Map(
  [...EVENT_SCHEMAS].map(([detailType, schema]) => [detailType, ajv.compile(schema)]),
);

/** What is wrong with an event, one line each; none for one that its schema allows. */
export function problemsOf(detailType: string, detail: unknown): string[] {
  const validate = validators.get(detailType);
  if (!validate) {
    return [`there is no schema for ${detailType}`];
  }
  return validate(detail)
    ? []
    : (validate.errors ?? []).map(
        ({ instancePath, message, params }) =>
          `${detailType}${instancePath} ${message} ${JSON.stringify(params)}`,
      );
}
