/** Money and time as people write them. */

/** @param {number} fen */
const formatYuan = (fen) => (fen / 100).toFixed(2);

/**
 * Fen of an amount in yuan; 0 for nothing, `NaN` for what is no amount.
 *
 * @param {string} text
 */
function parseYuan(text) {
  const amount = text.trim();
  if (amount === '') {
    return 0;
  }
  return /^\d{1,7}(\.\d{1,2})?$/.test(amount) ? Math.round(Number(amount) * 100) : Number.NaN;
}

/**
 * Local time, such as `2026-03-01 10:00`; empty without a time.
 *
 * @param {string | undefined} iso
 */
function formatTime(iso) {
  if (!iso) {
    return '';
  }
  const date = new Date(iso);
  /** @param {number} number */
  const two = (number) => String(number).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

module.exports = { formatYuan, parseYuan, formatTime };
