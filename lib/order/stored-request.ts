/** The request that created an order at WeChat, as its row keeps it. */

/** Algorithm of the signatures of API v2. An order keeps the one it was created with. */
export type SignType = 'MD5' | 'HMAC-SHA256';
