/**
 * What a deployment would take away that its owner hardly means: the usual cause is a parameter that
 * was given to the last deployment and not to this one. Both templates are as they were packaged.
 */

const LOSSES = {
  /** Buyers' mini-programs call it, and WeChat sends the notifications of open orders to it. */
  address: ({ before, after }) => {
    const [from, to] = [before, after].map((template) => variableOf(template, 'PUBLIC_BASE_URL'));
    return from === to
      ? []
      : [`the address of the API changes from ${shown(from)} to ${shown(to)}`];
  },
  domain: ({ before, after }) =>
    changed(before, after, 'Domain', 'DomainName', (name) => `the domain ${name}`),
  apiVersion: ({ before, after }) => {
    const [from, to] = [before, after].map((each) => variableOf(each, 'WECHAT_PAY_API_VERSION'));
    return from === 'v3' && to === 'v2'
      ? ["the version of WeChat Pay's API goes back from v3 to v2"]
      : [];
  },
  orderNumbers: ({ before, after }) => {
    const [from, to] = [before, after].map((each) => variableOf(each, 'ORDER_NUMBER_SCOPE'));
    return from === to
      ? []
      : ['orderNumberScope changes: a request that is repeated would make a second order'];
  },
  alarmEmail: ({ before, after }) =>
    changed(before, after, 'AlarmEmail', 'Endpoint', (mail) => `the mails of alarms to ${mail}`),
  protection: ({ before, after }) => {
    const [from, to] = [before, after].map((each) =>
      String(each.Resources.Table?.Properties.DeletionProtectionEnabled),
    );
    return from === 'true' && to === 'false' ? ['the table can be deleted from then on'] : [];
  },
  logs: ({ before, after }) => shortened(before, after),
  /** EventBridge drops what is older, and a replay would not find it. Zero days are for ever. */
  events: ({ before, after }) => {
    const [from, to] = [before, after].map(({ Resources }) => archiveDays(Resources.EventArchive));
    return from === undefined || to === undefined || to >= from
      ? []
      : [`archived events older than ${to} days are deleted (${daysShown(from)} so far)`];
  },
  table: ({ before, after }) =>
    replaced(before, after, 'Table', ['TableName', 'KeySchema']).map(
      (what) => `${what}: an empty one takes its place, and no order is found any more`,
    ),
  secrets: ({ before, after, given }) =>
    ['MiniProgramSecret', 'MerchantSecret'].flatMap((name) =>
      isSameSecret(before.Resources[name], given[SECRET_ARN[name]])
        ? []
        : replaced(before, after, name, ['Name']).map(
            (what) => `${what}: the functions would read another one`,
          ),
    ),
};

const SECRET_ARN = {
  MiniProgramSecret: 'miniProgramSecretArn',
  MerchantSecret: 'merchantSecretArn',
};

/** Whether an ARN, which ends in six characters more, is that of a secret which the stack made. */
const isSameSecret = (secret, arn) =>
  secret !== undefined && arn?.split(':secret:')[1]?.slice(0, -7) === secret.Properties.Name;

/** What the parameter `allowChanges` may name. */
export const KINDS_OF_LOSS = Object.keys(LOSSES);

const archiveDays = (archive) =>
  archive === undefined ? undefined : Number(archive.Properties.RetentionDays) || Infinity;

const daysShown = (days) => (days === Infinity ? 'for ever' : days);

const shown = (value) => (typeof value === 'string' ? value : "API Gateway's own");

function variableOf({ Resources }, name) {
  const one = Object.values(Resources).find(({ Type }) => Type === 'AWS::Lambda::Function');
  const value = one?.Properties.Environment?.Variables[name];
  // Two times the same expression is the same address.
  return typeof value === 'object' ? undefined : value;
}

function changed(before, after, name, property, describe) {
  const [from, to] = [before, after].map(({ Resources }) => Resources[name]?.Properties[property]);
  return from === undefined || from === to
    ? []
    : [`${describe(from)} ${to === undefined ? 'would be gone' : `would become ${to}`}`];
}

function replaced(before, after, name, identity) {
  const [from, to] = [before, after].map(({ Resources }) => Resources[name]);
  if (from === undefined) {
    return [];
  }
  const isSame =
    to !== undefined &&
    to.Type === from.Type &&
    identity.every(
      (property) =>
        JSON.stringify(to.Properties[property]) === JSON.stringify(from.Properties[property]),
    );
  return isSame ? [] : [`${name} would be replaced`];
}

/** CloudWatch deletes what is older at once. */
function shortened(before, after) {
  const daysOf = ({ Resources }, name) => Number(Resources[name]?.Properties.RetentionInDays);
  const cut = Object.entries(before.Resources)
    .filter(([name, { Type }]) => Type === 'AWS::Logs::LogGroup' && after.Resources[name])
    .map(([name]) => [daysOf(before, name), daysOf(after, name)])
    .find(([from, to]) => to < from);
  return cut === undefined ? [] : [`logs older than ${cut[1]} days are deleted (${cut[0]} so far)`];
}

/**
 * Sentences on what would be lost, but for the kinds that are allowed. `given` are the parameters:
 * a secret that the stack gives up may be the one that they name.
 */
export function findLosses(before, after, { allowed = [], given = {} } = {}) {
  // Nothing is deployed yet but the bucket for the deployment itself.
  if (before.Resources.Table === undefined && variableOf(before, 'STAGE') === undefined) {
    return [];
  }
  return Object.entries(LOSSES).flatMap(([kind, find]) =>
    allowed.includes(kind) ? [] : find({ before, after, given }).map((loss) => `${kind}: ${loss}`),
  );
}
