// Add a repository, or change how one is reached.
import { type FrameProps, Layout } from "../layout.tsx";
import { Csrf } from "../parts/csrf.tsx";
import { type Errors, Problems } from "../parts/field.tsx";
import { Name } from "../parts/name.tsx";
import { ConnectionFields, type ConnectionValues } from "./connection_fields.tsx";

export interface RepositoryFormProps {
  frame: FrameProps;
  /** null for a new one. */
  repository: { id: string; name: string } | null;
  values: ConnectionValues;
  errors: Errors;
  isPasswordSet: boolean;
  isRestPasswordSet: boolean;
  isAdmin: boolean;
}

export function RepositoryFormPage(props: RepositoryFormProps) {
  const { frame, repository, errors } = props;
  const to = repository ? `/repositories/${repository.id}` : "/repositories";
  const title = repository ? `Change ${repository.name}` : "Add repository";
  return (
    <Layout {...frame} title={title} current="repositories">
      <div class="narrow">
        <p class="crumbs">
          <a href="/repositories">Repositories</a>
          {repository && (
            <>
              {" "}/{" "}
              <a href={to}>
                <Name text={repository.name} />
              </a>
            </>
          )}
        </p>
        <div class="head">
          <h1>{repository ? "Change how it is reached" : "Add repository"}</h1>
        </div>
        <form method="post" action={repository ? `${to}/edit` : "/repositories/new"} class="form">
          <Csrf token={frame.csrf} />
          <Problems errors={errors} />
          <ConnectionFields {...props} prefix="" isKnown={repository !== null} />
          <p class="actions">
            <button type="submit" class="primary">
              {repository ? "Save changes" : "Add repository"}
            </button>
            <a class="button" href={to}>Cancel</a>
          </p>
        </form>
      </div>
    </Layout>
  );
}
