// The random numbers of the vectors: a generator that is easy to write in any language.

/** Return next(n): a number below n. x = (69069 x + 1) mod 2^32, the result is floor(x / 256) mod n. */
export function random(seed) {
  let x = seed
  return (n) => {
    x = (Math.imul(69069, x) + 1) >>> 0
    return Math.floor(x / 256) % n
  }
}

/** The operations of a generator in bee.json: {seed, space, count} or {seed, space, batches, perBatch}. */
export function generate({ seed, space, count, batches, perBatch }, { put, del, batch }) {
  const next = random(seed)
  const operation = (value) => {
    const key = `key-${String(next(space)).padStart(6, '0')}`
    return next(10) < 3 ? del(key) : put(key, value)
  }
  const list = (length, value) => Array.from({ length }, (_, i) => operation(value(i)))
  if (count !== undefined) return list(count, (i) => `value-${i}`)
  return Array.from({ length: batches }, (_, b) => batch(list(perBatch, (i) => `value-${b}-${i}`)))
}
