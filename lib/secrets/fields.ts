/** Fields that both secrets have. */
import * as v from 'valibot';

export const appid = v.pipe(v.string(), v.regex(/^wx[0-9a-zA-Z]{8,30}$/));
