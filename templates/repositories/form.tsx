// Add a repository, or change how one is reached.
import { FormPage } from "../parts/form_page.tsx";
import type { Repository } from "../../shared/shapes/repository.ts";
import type { FrameProps } from "../layout.tsx";
import type { Errors } from "../parts/field.tsx";
import { Name } from "../parts/name.tsx";
import { ConnectionFields, type ConnectionValues } from "./connection_fields.tsx";

export interface RepositoryFormProps {
  frame: FrameProps;
  /** null for a new one. */
  repository: Pick<Repository, "id" | "name" | "password_set" | "rest_password_set"> | null;
  values: ConnectionValues;
  errors: Errors;
  isAdmin: boolean;
}

export function RepositoryFormPage(props: RepositoryFormProps) {
  const { frame, repository, errors } = props;
  const to = repository ? `/repositories/${repository.id}` : "/repositories";
  const title = repository ? `Change ${repository.name}` : "Add repository";
  return (
    <FormPage
      frame={frame}
      title={title}
      current="repositories"
      crumbs={[
        { to: "/repositories", text: "Repositories" },
        ...(repository ? [{ to, text: <Name text={repository.name} /> }] : []),
      ]}
      heading={repository ? "Change how it is reached" : "Add repository"}
      to={repository ? `${to}/edit` : "/repositories/new"}
      button={repository ? "Save changes" : "Add repository"}
      cancelTo={to}
      errors={errors}
    >
      <ConnectionFields
        {...props}
        prefix=""
        isKnown={repository !== null}
        isPasswordSet={repository?.password_set ?? false}
        isRestPasswordSet={repository?.rest_password_set ?? false}
      />
    </FormPage>
  );
}
