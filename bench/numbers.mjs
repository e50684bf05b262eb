/** Small arithmetic on measurements. */
export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

export const rounded = (value, digits) => Number(value.toFixed(digits));

export const sum = (values) => values.reduce((total, value) => total + value, 0);
