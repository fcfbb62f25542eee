/** The tool was used wrongly, or whoever was asked said no: exit code 2. */
export class UsageError extends Error {}
