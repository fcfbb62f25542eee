/**
 * Conditions of a template that are decided already when it is packaged. Every parameter is known by
 * then, so what does not hold is left out, property or resource, and what is deployed has no branch
 * that CloudFormation would refuse for the value it does not take.
 */

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The single key of `{ "Fn::If": … }` and the like, with its argument. */
function intrinsicOf(value) {
  const entries = isObject(value) ? Object.entries(value) : [];
  return entries.length === 1 ? entries[0] : [undefined, undefined];
}

/** True or false; undefined where only a deployment can tell. */
function decide(condition, conditions) {
  const [name, argument] = intrinsicOf(condition);
  const parts = () => argument.map((part) => decide(part, conditions));
  switch (name) {
    case 'Fn::Equals':
      return argument.some((part) => typeof part === 'object')
        ? undefined
        : String(argument[0]) === String(argument[1]);
    case 'Fn::Not': {
      const [inner] = parts();
      return inner === undefined ? undefined : !inner;
    }
    case 'Fn::And':
      return parts().includes(false) ? false : parts().includes(undefined) ? undefined : true;
    case 'Fn::Or':
      return parts().includes(true) ? true : parts().includes(undefined) ? undefined : false;
    case 'Condition':
      return decide(conditions[argument], conditions);
    default:
      return undefined;
  }
}

const NOTHING = Symbol('AWS::NoValue');

/** The value with decided branches taken, and without what they leave out. */
function settle(value, decided) {
  const [name, argument] = intrinsicOf(value);
  if (name === 'Ref' && argument === 'AWS::NoValue') {
    return NOTHING;
  }
  if (name === 'Fn::If' && decided.has(argument[0])) {
    return settle(argument[decided.get(argument[0]) ? 1 : 2], decided);
  }
  if (name === 'Fn::If') {
    // Here the missing value is said, not left out.
    const branches = argument.slice(1).map((part) => settle(part, decided));
    return {
      'Fn::If': [
        argument[0],
        ...branches.map((part) => (part === NOTHING ? { Ref: 'AWS::NoValue' } : part)),
      ],
    };
  }
  if (Array.isArray(value)) {
    return value.map((part) => settle(part, decided)).filter((part) => part !== NOTHING);
  }
  if (!isObject(value)) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, part]) => [key, settle(part, decided)])
      .filter(([, part]) => part !== NOTHING),
  );
}

/** Settles the template in place, and gives it back. */
export function settleConditions(template) {
  const { Conditions = {} } = template;
  const decided = new Map(
    Object.entries(Conditions)
      .map(([name, condition]) => [name, decide(condition, Conditions)])
      .filter(([, holds]) => holds !== undefined),
  );
  for (const name of decided.keys()) {
    delete Conditions[name];
  }
  if (Object.keys(Conditions).length === 0) {
    delete template.Conditions;
  }
  const gone = new Set();
  for (const section of [template.Resources, template.Outputs ?? {}]) {
    for (const [name, { Condition }] of Object.entries(section)) {
      if (decided.get(Condition) === false) {
        delete section[name];
        gone.add(name);
        continue;
      }
      const { Condition: kept, ...rest } = section[name];
      const isOpen = kept !== undefined && !decided.has(kept);
      section[name] = settle(isOpen ? { Condition: kept, ...rest } : rest, decided);
    }
  }
  for (const resource of Object.values(template.Resources)) {
    forgetDependencies(resource, gone);
  }
  return template;
}

function forgetDependencies(resource, gone) {
  if (resource.DependsOn === undefined) {
    return;
  }
  const kept = [resource.DependsOn].flat().filter((name) => !gone.has(name));
  if (kept.length === 0) {
    delete resource.DependsOn;
  } else {
    resource.DependsOn = Array.isArray(resource.DependsOn) ? kept : kept[0];
  }
}
