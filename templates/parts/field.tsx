// Form fields: label above, help below, the error in place, what was typed kept.
import type { Child } from "hono/jsx";
import { visible } from "../../shared/redact.ts";

export type Errors = Record<string, string | undefined>;

interface Common {
  name: string;
  /** Where a page has several forms with such a field. */
  of?: string;
  label: string;
  help?: Child;
  error?: string;
  isOptional?: boolean;
}

const idOf = (name: string, of = "") => `f-${`${name}${of}`.replace(/[^A-Za-z0-9_-]/g, "-")}`;

/** aria-describedby: the error first, it is what the reader came back for. */
function describedBy({ name, of, help, error }: Common): string | undefined {
  const ids = [error && `${idOf(name, of)}-error`, help && `${idOf(name, of)}-help`].filter(
    Boolean,
  );
  return ids.length ? ids.join(" ") : undefined;
}

/** The server's sentence begins with the field's name; under the field itself "Must be …" is enough. */
export function inPlace(message: string, name: string): string {
  const rest = message.startsWith(`${name} `) ? message.slice(name.length + 1) : message;
  return `${rest.charAt(0).toUpperCase()}${rest.slice(1)}`.replace(/([^.!?])$/, "$1.");
}

function Frame(props: Common & { children?: Child }) {
  const { name, of, label, help, error, isOptional } = props;
  return (
    <div class="field">
      <label for={idOf(name, of)}>
        {label}
        {isOptional && <span class="optional">{` (optional)`}</span>}
      </label>
      {props.children}
      {error && <p class="error" id={`${idOf(name, of)}-error`}>{inPlace(error, name)}</p>}
      {help && <p class="help" id={`${idOf(name, of)}-help`}>{help}</p>}
    </div>
  );
}

export interface TextFieldProps extends Common {
  value?: string;
  type?: "text" | "password" | "number" | "date" | "search";
  isMono?: boolean;
  isRequired?: boolean;
  autocomplete?: string;
  placeholder?: string;
  min?: number;
  max?: number;
  list?: string;
  hasFocus?: boolean;
  isDisabled?: boolean;
}

export function TextField(props: TextFieldProps) {
  const { name, of, value, type = "text", isMono, error } = props;
  return (
    <Frame {...props}>
      <input
        id={idOf(name, of)}
        name={name}
        type={type}
        value={value ?? ""}
        class={isMono ? "mono" : undefined}
        required={props.isRequired}
        autofocus={props.hasFocus}
        disabled={props.isDisabled}
        autocomplete={props.autocomplete ?? "off"}
        placeholder={props.placeholder}
        min={props.min}
        max={props.max}
        list={props.list}
        dir={type === "text" ? "auto" : undefined}
        aria-invalid={error ? "true" : undefined}
        aria-describedby={describedBy(props)}
      />
    </Frame>
  );
}

/** One entry per line. */
export function LinesField(
  props: Common & { value?: string; rows?: number; isRequired?: boolean },
) {
  const { name, value = "", rows = 4, error } = props;
  return (
    <Frame {...props}>
      <textarea
        id={idOf(name)}
        name={name}
        rows={rows}
        autocapitalize="off"
        required={props.isRequired}
        aria-invalid={error ? "true" : undefined}
        aria-describedby={describedBy(props)}
      >
        {/* HTML drops one line break right after the tag. */}
        {"\n" + value}
      </textarea>
    </Frame>
  );
}

/** A script or other text that is read by a program. Disabled it can be read and copied, and is not sent. */
export function CodeField(
  props: Common & { value?: string; rows?: number; isDisabled?: boolean },
) {
  const { name, value = "", rows = 5, error, isDisabled } = props;
  return (
    <Frame {...props}>
      <textarea
        id={idOf(name)}
        name={name}
        rows={rows}
        wrap="off"
        spellcheck={false}
        autocapitalize="off"
        autocomplete="off"
        disabled={isDisabled}
        aria-invalid={error ? "true" : undefined}
        aria-describedby={describedBy(props)}
      >
        {"\n" + value}
      </textarea>
    </Frame>
  );
}

export interface Option {
  value: string;
  label: string;
}

export function SelectField(props: Common & { value?: string; options: Option[] }) {
  const { name, of, value, options, error } = props;
  return (
    <Frame {...props}>
      <select
        id={idOf(name, of)}
        name={name}
        aria-invalid={error ? "true" : undefined}
        aria-describedby={describedBy(props)}
      >
        {options.map((option) => (
          <option value={option.value} selected={option.value === value}>
            {visible(option.label)}
          </option>
        ))}
      </select>
    </Frame>
  );
}

interface CheckboxProps extends Common {
  type?: "checkbox" | "radio";
  value?: string;
  isChecked?: boolean;
  isDisabled?: boolean;
}

export function Checkbox(props: CheckboxProps) {
  const { name, label, help, error, type = "checkbox", value = "on" } = props;
  const id = type === "radio" ? `${idOf(name)}-${value}` : idOf(name);
  return (
    <div class="tick">
      <input
        id={id}
        type={type}
        name={name}
        value={value}
        checked={props.isChecked}
        disabled={props.isDisabled}
        aria-invalid={error ? "true" : undefined}
        aria-describedby={help || error ? `${id}-help` : undefined}
      />
      <div>
        <label for={id}>{label}</label>
        {(help || error) && (
          <div id={`${id}-help`}>
            {error && <p class="error">{inPlace(error, name)}</p>}
            {help && <p class="help">{help}</p>}
          </div>
        )}
      </div>
    </div>
  );
}

/** A secret is write-only: the page only ever knows whether there is one. A blank field keeps it. */
export function SecretField(props: TextFieldProps & { isSet: boolean }) {
  const { isSet, error, value } = props;
  if (!isSet) return <TextField {...props} type="password" autocomplete="new-password" />;
  return (
    <div class="field">
      <span class="legend">{props.label}</span>
      <details class="unfold" open={Boolean(error || value)}>
        <summary>set · Replace…</summary>
        <TextField
          {...props}
          label={`New ${props.label.toLowerCase()}`}
          type="password"
          autocomplete="new-password"
          help={props.help ?? "Leave blank to keep the one that is set."}
        />
      </details>
    </div>
  );
}

/** Says at the top of a form that something below needs a look, and what does not belong to one field. */
export function Problems({ errors }: { errors: Errors }) {
  const named = Object.entries(errors).filter(([field, message]) => message && field !== "");
  if (!errors[""] && named.length === 0) return null;
  return (
    <div class="problems" role="alert">
      {errors[""] ??
        (named.length === 1
          ? "One field needs another look. Nothing was saved."
          : `${named.length} fields need another look. Nothing was saved.`)}
    </div>
  );
}
