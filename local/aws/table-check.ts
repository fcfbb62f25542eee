/** A table that is there already: is it the one of this version of the project? */
import { type DynamoDBClient, DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { TABLE_DEFINITION } from '../../lib/table/schema.ts';

interface Shape {
  readonly KeySchema?:
    | readonly { AttributeName?: string | undefined; KeyType?: string | undefined }[]
    | undefined;
  readonly GlobalSecondaryIndexes?:
    | readonly (Pick<Shape, 'KeySchema'> & { IndexName?: string | undefined })[]
    | undefined;
}

/** @throws {Error} when its keys or indexes differ: the functions would fail at their first query. */
export async function assertSameTable(client: DynamoDBClient, tableName: string): Promise<void> {
  const { Table = {} } = await client.send(new DescribeTableCommand({ TableName: tableName }));
  const there = describeKeys(Table);
  const missing = describeKeys(TABLE_DEFINITION).filter((line) => !there.includes(line));
  if (missing.length > 0) {
    throw new Error(
      `the table ${tableName} was made by another version of the project (it has no ${missing.join(', no ')}): begin anew with npm start -- --fresh, which forgets the orders in it; in a DynamoDB of your own, delete the table`,
    );
  }
}

/** `key PK/SK`, `index GSI1 on GSI1PK/GSI1SK` */
function describeKeys({ KeySchema, GlobalSecondaryIndexes = [] }: Shape): string[] {
  const keys = (schema: Shape['KeySchema']) =>
    (schema ?? []).map(({ AttributeName }) => AttributeName).join('/');
  const indexes = GlobalSecondaryIndexes.map(
    (index) => `index ${index.IndexName} on ${keys(index.KeySchema)}`,
  );
  return [`key ${keys(KeySchema)}`, ...indexes];
}
