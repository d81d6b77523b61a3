// What is asked of a new host, whichever way it joins.
import { Checkbox, type Errors, LinesField, TextField } from "../parts/field.tsx";
import type { OfferedRepository } from "../repositories/options.ts";
import { RepositoryChoice, type RepositoryChoiceValues } from "../repositories/choice.tsx";

export interface JoiningValues extends RepositoryChoiceValues {
  /** As typed: separated by spaces or commas. */
  tags: string;
  /** As typed: one path a line. */
  initial_paths: string;
  may_hold_admin_credential: boolean;
}

export function JoiningFields(
  { nameField, name, values, errors, repositories, mayName }: {
    /** The name of the field that takes the host's name. */
    nameField: string;
    name: string;
    values: JoiningValues;
    errors: Errors;
    repositories: OfferedRepository[];
    /** Admins name the hosts that may hold the admin credential. */
    mayName: boolean;
  },
) {
  return (
    <>
      <TextField
        name={nameField}
        label="Name"
        value={name}
        error={errors[nameField]}
        help="Letters, digits, dots, dashes and underscores. Its snapshots carry this name."
        isRequired
        hasFocus
      />
      <TextField
        name="tags"
        label="Tags"
        value={values.tags}
        error={errors.tags}
        isOptional
        help="To find and filter it, for example: berlin database."
      />
      <LinesField
        name="initial_paths"
        label="Paths to back up"
        value={values.initial_paths}
        error={errors.initial_paths}
        isOptional
        help="One folder or file a line, for example /etc or C:\Users. More groups and exclusions can come later; operators choose paths below these, admins any."
      />
      {/* What only admins set is on the repository's own page. */}
      <RepositoryChoice
        values={values}
        errors={errors}
        repositories={repositories}
        isAdmin={false}
      />
      {mayName && (
        <Checkbox
          name="may_hold_admin_credential"
          label="May hold the repository's admin credential"
          error={errors.may_hold_admin_credential}
          help="Runs retention and prune for all hosts of the repository. Choose a machine that you trust with all of these backups; it can be changed on the repository's page."
          isChecked={values.may_hold_admin_credential}
        />
      )}
    </>
  );
}
