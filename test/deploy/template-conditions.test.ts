import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { projectDirectory } from '../repo/project.ts';

const { settleConditions } = await import(
  pathToFileURL(join(projectDirectory, 'build/template-conditions.mjs')).href
);

const equals = (a: unknown, b: unknown) => ({ 'Fn::Equals': [a, b] });
const nothing = { Ref: 'AWS::NoValue' };

test('a branch that is decided is taken, and what it leaves out is not there', () => {
  expect(
    settleConditions({
      Conditions: {
        Yes: equals('a', 'a'),
        No: { 'Fn::Not': [{ Condition: 'Yes' }] },
        Both: { 'Fn::And': [{ Condition: 'Yes' }, { Condition: 'No' }] },
        Either: { 'Fn::Or': [{ Condition: 'Yes' }, { Condition: 'No' }] },
      },
      Resources: {
        Kept: {
          Type: 'A',
          Condition: 'Either',
          DependsOn: ['Gone', 'Other'],
          Properties: {
            one: { 'Fn::If': ['No', 1, nothing] },
            two: { 'Fn::If': ['Yes', { 'Fn::If': ['No', 1, 'x'] }, nothing] },
            list: ['a', { 'Fn::If': ['No', 'b', nothing] }],
          },
        },
        Gone: { Type: 'A', Condition: 'Both', Properties: {} },
        Other: { Type: 'A', DependsOn: 'Gone', Properties: {} },
      },
      Outputs: { Out: { Condition: 'No', Value: 1 } },
    }),
  ).toEqual({
    Resources: {
      Kept: { Type: 'A', DependsOn: ['Other'], Properties: { two: 'x', list: ['a'] } },
      Other: { Type: 'A', Properties: {} },
    },
    Outputs: {},
  });
});

test('what only a deployment can decide stays as it is', () => {
  const template = () => ({
    Conditions: {
      InChina: equals({ Ref: 'AWS::Partition' }, 'aws-cn'),
      Also: { 'Fn::And': [{ Condition: 'InChina' }, equals('a', 'a')] },
      Elsewhere: { 'Fn::Not': [{ Condition: 'InChina' }] },
      Any: { 'Fn::Or': [{ Condition: 'InChina' }, equals('a', 'b')] },
    },
    Resources: {
      One: {
        Type: 'A',
        Condition: 'InChina',
        Properties: { one: { 'Fn::If': ['Elsewhere', 'x', nothing] } },
      },
    },
  });

  expect(settleConditions(template())).toEqual(template());
});
