/** So few names are found faster one by one than by a hash. */
const SHORT_LIST = 8

const codesByList = new WeakMap<readonly string[], ReadonlyMap<string, number>>()

/**
 * The code of a name: its place in `categories`, or their number for a name that is not among them.
 * @param categories a list that does not change; its codes are worked out once
 */
export const categoryCode = (categories: readonly string[], name: string): number => {
  if (categories.length <= SHORT_LIST) {
    const place = categories.indexOf(name)
    return place < 0 ? categories.length : place
  }
  let codes = codesByList.get(categories)
  if (codes === undefined) {
    codes = new Map(categories.map((category, code) => [category, code]))
    codesByList.set(categories, codes)
  }
  return codes.get(name) ?? categories.length
}
