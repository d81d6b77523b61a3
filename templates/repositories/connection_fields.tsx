// How a repository is reached: the same fields on Add host and on the repository's own page.
import { ENVIRONMENT_NAMES, isFileName } from "../../shared/repository_environment.ts";
import {
  Checkbox,
  CodeField,
  type Errors,
  inPlace,
  LinesField,
  SecretField,
  TextField,
} from "../parts/field.tsx";

export interface ConnectionValues {
  name: string;
  url: string;
  username: string;
  is_new: boolean;
  append_only: boolean;
  /** Names that are chosen; values never come back, only whether one is set. */
  environment: { name: string; isSet: boolean }[];
  /** PEM. */
  certificate_authority: string;
  /** One name=value a line. */
  options: string;
  open_to_operators: boolean;
}

export const NO_CONNECTION: ConnectionValues = {
  name: "",
  url: "",
  username: "",
  is_new: true,
  append_only: false,
  environment: [],
  certificate_authority: "",
  options: "",
  open_to_operators: false,
};

export interface ConnectionFieldsProps {
  /** "" on the repository's page, "repository." on Add host: the names of inputs and errors begin with it. */
  prefix: string;
  values: ConnectionValues;
  errors: Errors;
  isPasswordSet: boolean;
  isRestPasswordSet: boolean;
  /** Only admins set whom restic trusts, its options, and files on hosts. */
  isAdmin: boolean;
  /** A repository that exists is not asked whether to make it. */
  isKnown: boolean;
}

export function ConnectionFields(props: ConnectionFieldsProps) {
  const { prefix, values, errors, isKnown } = props;
  const of = (name: string) => ({ name: `${prefix}${name}`, error: errors[`${prefix}${name}`] });
  return (
    <>
      <TextField
        {...of("name")}
        label="Name of the repository"
        value={values.name}
        help="How you will find it here, for example: office nas."
      />
      <TextField
        {...of("url")}
        label="Address"
        value={values.url}
        isMono
        placeholder="rest:https://backup.example.org:8000/web-01/"
        help="As restic takes it: a path on the host, or rest:, s3:, sftp:, b2:, azure:, gs:, rclone: or swift:. Without user and password; they have fields below."
      />
      {!isKnown && <IsNew {...props} />}
      <SecretField
        {...of("password")}
        label="Repository password"
        isSet={props.isPasswordSet}
        isOptional={!isKnown && values.is_new}
        help={isKnown
          ? undefined
          : "Encrypts the repository. For a new one, leave it blank and the server makes a strong one and shows it once."}
      />
      <Access {...props} />
      <Checkbox
        {...of("append_only")}
        label="The storage is append-only"
        help="Hosts may add to it but not delete. Retention then needs another credential."
        isChecked={values.append_only}
      />
      {props.isAdmin && (
        <>
          <input type="hidden" name={`${prefix}has_open_to_operators`} value="on" />
          <Checkbox
            {...of("open_to_operators")}
            label="Open to operators"
            help="Operators may bind hosts to it, and so obtain its repository credential, and may change how it is reached while no host uses it."
            isChecked={values.open_to_operators}
          />
        </>
      )}
    </>
  );
}

function IsNew({ prefix, values, errors }: ConnectionFieldsProps) {
  const name = `${prefix}is_new`;
  return (
    <fieldset>
      <legend>What is at this address?</legend>
      <Checkbox
        type="radio"
        name={name}
        value="true"
        label="Nothing yet: make a new repository here"
        isChecked={values.is_new}
        error={errors[name]}
      />
      <Checkbox
        type="radio"
        name={name}
        value="false"
        label="A repository: open it with its password"
        isChecked={!values.is_new}
      />
    </fieldset>
  );
}

/** What the storage itself asks for; most need none of it, so it is folded away until something is there. */
function Access(props: ConnectionFieldsProps) {
  const { prefix, values, errors } = props;
  const of = (name: string) => ({ name: `${prefix}${name}`, error: errors[`${prefix}${name}`] });
  const isOpen = Boolean(
    values.username || props.isRestPasswordSet || values.environment.length ||
      values.certificate_authority || values.options ||
      Object.keys(errors).some((field) =>
        /(username|rest_password|environment|certificate_authority|options)/.test(field)
      ),
  );
  return (
    <details class="unfold" open={isOpen}>
      <summary>User, password and keys for the storage</summary>
      <div class="nested stack">
        <div class="row">
          <TextField
            {...of("username")}
            label="User name"
            value={values.username}
            isOptional
            help="For rest: addresses."
          />
          <SecretField
            {...of("rest_password")}
            label="Password of that user"
            isSet={props.isRestPasswordSet}
            isOptional
          />
        </div>
        <Environment prefix={prefix} values={values} errors={errors} isAdmin={props.isAdmin} />
        {props.isAdmin && (
          <>
            <CodeField
              {...of("certificate_authority")}
              label="Certificate authority"
              value={values.certificate_authority}
              isOptional
              help="PEM, for a storage whose certificate no public authority vouches for."
            />
            <LinesField
              {...of("options")}
              label="Options of restic"
              value={values.options}
              rows={2}
              isOptional
              help={`One name=value a line, such as s3.storage-class=STANDARD_IA. Those that run a program are refused.`}
            />
          </>
        )}
      </div>
    </details>
  );
}

function Environment(
  { prefix, values, errors, isAdmin }: Pick<
    ConnectionFieldsProps,
    "prefix" | "values" | "errors" | "isAdmin"
  >,
) {
  const offered = (current: string) =>
    ENVIRONMENT_NAMES.filter((name) => isAdmin || !isFileName(name) || name === current);
  const error = Object.entries(errors).find(([field]) => field.startsWith(`${prefix}environment`))
    ?.[1];
  const rows = [...values.environment, ...blankRows(values.environment.length)];
  return (
    <fieldset>
      <legend>Environment variables</legend>
      <div class="pairs">
        {rows.map((row, i) => (
          <>
            <select name={`${prefix}environment_name`} aria-label={`Variable ${i + 1}`}>
              <option value="">—</option>
              {offered(row.name).map((name) => (
                <option value={name} selected={name === row.name}>{name}</option>
              ))}
            </select>
            <input
              type="password"
              name={`${prefix}environment_value`}
              aria-label={`Value of variable ${i + 1}`}
              autocomplete="new-password"
              placeholder={row.isSet ? "set; type to replace" : ""}
            />
          </>
        ))}
      </div>
      {error && <p class="error">{inPlace(error, `${prefix}environment`)}</p>}
      <p class="help">
        For s3:, b2:, azure:, gs:, swift: and rclone:, for example AWS_ACCESS_KEY_ID. To remove one,
        choose —. {isAdmin &&
          "Those that name a file, such as RCLONE_CONFIG, take one that only root can write."}
      </p>
    </fieldset>
  );
}

const blankRows = (there: number) =>
  Array.from({ length: Math.max(1, 3 - there) }, () => ({ name: "", isSet: false }));
