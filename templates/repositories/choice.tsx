// Which repository a host that is to join uses: one that is here, or another one with its fields.
import { Checkbox, type Errors, SelectField } from "../parts/field.tsx";
import { ConnectionFields, type ConnectionValues } from "./connection_fields.tsx";
import { type OfferedRepository, repositoryOptions } from "./options.ts";

export interface RepositoryChoiceValues {
  repository_choice: "existing" | "new";
  repository_id: string;
  repository: ConnectionValues;
}

export function RepositoryChoice(
  { values, errors, repositories, isAdmin }: {
    values: RepositoryChoiceValues;
    errors: Errors;
    repositories: OfferedRepository[];
    isAdmin: boolean;
  },
) {
  const isNew = values.repository_choice === "new" || repositories.length === 0;
  return (
    <fieldset class="part">
      <legend>Repository</legend>
      <div class="part-in choice-group">
        {repositories.length > 0 && (
          <>
            <Checkbox
              type="radio"
              name="repository_choice"
              value="existing"
              label="One that is here already"
              isChecked={!isNew}
            />
            <div class="if-existing">
              <SelectField
                name="repository_id"
                label="Which one"
                value={values.repository_id}
                error={errors.repository_id}
                options={repositoryOptions(repositories)}
              />
            </div>
            <Checkbox
              type="radio"
              name="repository_choice"
              value="new"
              label="Another one"
              isChecked={isNew}
            />
          </>
        )}
        {repositories.length === 0 && <input type="hidden" name="repository_choice" value="new" />}
        <div class="if-new part-in">
          <ConnectionFields
            prefix="repository."
            values={values.repository}
            errors={errors}
            isPasswordSet={false}
            isRestPasswordSet={false}
            isAdmin={isAdmin}
            isKnown={false}
          />
        </div>
      </div>
    </fieldset>
  );
}
