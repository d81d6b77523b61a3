/** Binary units with one decimal: 512 B, 1.2 GiB. */
export function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
  let value = Math.max(0, count);
  let step = 0;
  while (step < units.length - 1 && value >= (step === 0 ? 1024 : 1023.95)) {
    value /= 1024;
    step++;
  }
  return `${step === 0 ? Math.round(value) : value.toFixed(1)} ${units[step]}`;
}
