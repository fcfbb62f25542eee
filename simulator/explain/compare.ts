/** The order of two texts by their UTF-16 units, which for ASCII is the order of the bytes. */
export const compare = (a: string, b: string) => (a < b ? -1 : Number(a > b));
