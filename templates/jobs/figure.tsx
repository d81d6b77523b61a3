// A number with its name.
export function Figure({ label, value, isBig }: { label: string; value: string; isBig?: boolean }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd class={isBig ? "big" : undefined}>{value}</dd>
    </div>
  );
}
