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
          // A text that is its own value is not said twice.
          <option
            value={option === visible(text) ? undefined : option}
            selected={option === value}
          >
            {visible(text)}
          </option>
        ))}
      </select>
    </label>
  );
}
