import { visible } from "../../shared/redact.ts";

/** A labelled select of a filter row. */
export function Choice(
  { name, label, value, options }: {
    name: string;
    label: string;
    value: string;
    options: [value: string, label: string][];
  },
) {
  return (
    <label>
      {label}
      <select name={name}>
        {options.map(([option, text]) => (
          <option value={option} selected={option === value}>{visible(text)}</option>
        ))}
      </select>
    </label>
  );
}
