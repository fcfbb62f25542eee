interface BillSum {
  readonly count: number;
  readonly totalFen: number;
}

/** What the tool says in English. */
export const en = {
  // Headings of help.
  usage: 'Usage:',
  arguments: 'Arguments:',
  options: 'Options:',
  globalOptions: 'For every command:',
  commands: 'Commands:',
  about: 'Looks into a stage and mends it. Exit codes: 0 good, 1 found wrong, 2 used wrong.',
  help: 'this text',
  helpCommand: 'how a command is used',
  // Options of every command.
  local: 'the stack that runs on this machine (the default where one runs)',
  stage: 'a deployed stage, with the AWS credentials of this shell',
  region:
    "the stage's Region; else that of params.<stage>.yml, AWS_REGION, AWS_DEFAULT_REGION, or ap-southeast-1",
  json: 'one JSON document for programs',
  yes: 'writes without asking',
  lang: 'language: en or zh; else that of the shell',
  // bill
  bill: "WeChat's bill of a day against the table",
  billRun: 'fetches and compares it, repairs what WeChat proves, and says what does not agree',
  billShow: 'the last result of that day',
  billExplain: 'says why a difference needs nothing; it stays explained',
  billDate: 'a day in Beijing, such as 2026-11-24',
  billCsv: 'every difference and repair as CSV',
  billKind: 'its kind, such as MISSING_HERE',
  billNumber: "WeChat's number of the payment, or ours of the refund",
  billNote: 'why',
  billLine: 'line of a DUPLICATE',
  // events
  events: 'what happened, as it is told to your systems',
  eventsList: 'the events that the local stack published',
  eventsListOrder: 'of one order only',
  eventsListType: 'of one type only, such as "Order Paid"',
  eventsListAfter: 'after the one with this id',
  eventsRebuild:
    "makes a period's events again from the table and sends them, under the same ids as the first time",
  rebuildFrom: 'from when on: 2026-03-01 (midnight in Beijing) or 2026-03-01T08:00:00+08:00',
  rebuildTo: 'until when, without that moment itself; else until now',
  rebuildOrder: 'of one order and its refunds only; the whole table is not read then',
  rebuildDryRun: 'only counts; sends nothing',
  eventsReplay: 'sends what publish had to give up on',
  replayDelete: 'deletes each object from the bucket once all of it was sent',
  // notifications
  notifications: 'what WeChat sent, and what we said',
  notificationsList: 'each message of WeChat that changed an order or one of its refunds',
  notificationsRedrive: 'what such a message would lead to by the code of now',
  outTradeNo: 'number of the order (out_trade_no)',
  notificationId: 'id of the message, or how it begins',
  unknown: 'the number is a transactionId: a payment that has no order here',
  apply: 'records what it leads to, after a question',

  // What is said.
  billNotReady: (date: string, reason: string) => `${date}: nothing was compared: ${reason}`,
  noDifference: (date: string, kind: string, number: string) =>
    `${date} has no difference ${kind} ${number} left to explain: bill show lists them; a DUPLICATE needs --line, too`,
  billSums: (payments: BillSum, refunds: BillSum, feesFen: number) =>
    `${payments.count} payments, ${payments.totalFen} fen; ${refunds.count} refunds, ${refunds.totalFen} fen; fees ${feesFen} fen`,
  billApart: (carriedOver: number, foreign: number) =>
    `${carriedOver} on different days around midnight; ${foreign} lines of other systems`,
  billMore: (count: number) => `${count} differences in all; --csv has each of them.`,
  billRepaired: 'Repaired, by what WeChat proved:',
  billColumns: ['kind', 'state', 'order', 'payment or refund', 'here', 'there', 'line', 'note'],
  billRepairColumns: ['kind', 'order', 'refund', 'repair'],
  eventColumns: ['id', 'time', 'type', 'order', 'eventId'],
  noEvents: 'no events',
  typeColumns: ['type', 'events'],
  wouldSend: (count: number) => `${count} events would be sent. Nothing was.`,
  sent: (count: number, bus: string) => `${count} events were sent to ${bus}.`,
  rowsRead: (count: number) => `${count} rows were read.`,
  unreadable: (count: number) => `${count} cannot be read; put the rows right and run this again:`,
  stopped: (reason: string) =>
    `The rest was not sent: ${reason}. Run this again: what was sent keeps its id.`,
  batchesAreNotKept:
    'in mainland China no batch is kept: events rebuild --from … sends again what the table tells',
  noBatches: 'No batch failed for good.',
  batches: (sent: number, all: number) => `${sent} of ${all} batches were sent.`,
  noBatch: (name: string) => `${name} is no batch of records`,
  attention: 'A person must look into these; their alarms do not ring again:',
  deleted: (count: number) => `${count} objects were deleted.`,
  askRebuild: (stage: string) => `Send these events again to the systems of ${stage}?`,
  askReplay: (count: number, stage: string) =>
    `Send ${count} batches again to the systems of ${stage}?`,
  reading: 'rows',
  sending: 'batches',

  notificationColumns: ['received', 'API', 'about', 'decision', 'change', 'answer', 'id'],
  about_payment: 'payment',
  about_refund: 'refund',
  noNotifications:
    'WeChat sent nothing that changed it. Repeats and refused messages are lines of the log of notify.',
  noSuchOrder: (number: string) => `there is no order ${number}`,
  noSuchPayment: (number: string) => `there is no payment ${number} without an order`,
  noSuchNotification: (id: string) => `there is no message ${id} about it`,
  manyNotifications: (id: string) => `more than one message begins with ${id}`,
  notKept: 'this message was too large to be kept',
  nameOrder: (number: string) => `order ${number}`,
  nameRefund: (number: string) => `refund ${number}`,
  noRow: 'not here',
  planApply: (name: string, from: string, to: string) =>
    `It would change ${name}: ${from} → ${to}.`,
  planDuplicate: (name: string, state: string) =>
    `Nothing to do: ${name} is ${state} and has it already.`,
  planStale: (name: string, state: string) =>
    `Nothing to do: ${name} is ${state} and knows more than this message.`,
  planMismatch: (name: string, field: string) =>
    `It contradicts ${name} in ${field}; a person must look.`,
  planMismatchOf: (name: string, field: string, expected: string, observed: string) =>
    `It contradicts ${name} in ${field}: expected ${expected}, observed ${observed}; a person must look.`,
  planUnknownOrder: (number: string) =>
    `There is no order ${number} here, so nothing can be recorded.`,
  planUnproved: (name: string) =>
    `WeChat's own answer does not show it, so ${name} stays as it is.`,
  planLeftDue:
    'The order would be left due, so that reconcile makes the row of a refund that has none.',
  nothingWritten: 'Nothing was written. --apply records it.',
  askApply: (stage: string) => `Record this in the table of ${stage}?`,
  applied: (name: string, state: string) => `Recorded: ${name} is ${state}.`,
  localStack: 'the local stack',

  // What is wrong.
  badDay: (text: string) => `${text} is no day: write 2026-11-24`,
  badLine: '--line takes the number of a line',
  noTarget: 'no local stack runs here: start one with npm start, or name a stage with --stage',
  noLocalStack: 'no local stack runs here: start one with npm start',
  twoTargets: '--local and --stage exclude each other',
  listIsLocal:
    'a bus keeps no list: "events rebuild --dry-run" counts what the table tells, and an archive replays it',
  noCredentials: (reason: string) =>
    `there are no AWS credentials: set them by aws configure or AWS_PROFILE (${reason})`,
  noStack: (name: string, region: string) => `there is no stack ${name} in ${region}`,
  noOutput: (name: string, output: string) =>
    `the stack ${name} has no output ${output}: deploy this version first`,
  badTime: (option: string, text: string) =>
    `${option} ${text} is no time: write 2026-03-01 or 2026-03-01T08:00:00+08:00`,
  emptyPeriod: '--from must be before --to',
  fromMissing: '--from is missing: the period begins there',
  badAfter: '--after takes the id of an event',
  deleteIsForStages: '--delete is for a stage; npm start -- --fresh forgets everything here',
  noTerminal: 'there is no terminal to ask in: give --yes',
  cancelled: 'Nothing was written.',
  unknownOption: (what: string) => `unknown option ${what}`,
  unknownCommand: (what: string) => `unknown command ${what}`,
  missingArgument: (what: string) => `the argument ${what} is missing`,
  missingValue: (what: string) => `the option ${what} needs a value`,
  tooManyArguments: 'too many arguments',
  whichCommand: 'name one of these commands',
  seeHelp: '--help lists what there is',
};

/** Every text of the tool; the other languages have the same ones. */
export type Texts = typeof en;
