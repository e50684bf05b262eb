/** Trees: a leaf, or arrays and plain records of trees. Used for arguments and results of compiled functions. */

const isRecord = (value: unknown): value is Record<string, unknown> => {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

/** Leaves in a fixed order (arrays by index, records by insertion). `visit` gets every non-array, non-record value. */
export function mapTree(tree: unknown, visit: (leaf: unknown, path: string) => unknown, path = ''): unknown {
  if (Array.isArray(tree)) return tree.map((item, i) => mapTree(item, visit, `${path}[${i}]`));
  if (isRecord(tree)) return Object.fromEntries(Object.entries(tree).map(([key, item]) => [key, mapTree(item, visit, path ? `${path}.${key}` : key)]));
  return visit(tree, path);
}
