// What is shown when something is not possible.
import { ErrorPage, NotFoundPage } from "../../../templates/errors/page.tsx";
import { frame, NOBODY, type Pages } from "./common.ts";

export const errorsPages: Pages = {
  "error-403": () => (
    <ErrorPage
      frame={frame({ role: "viewer" })}
      status={403}
      message="Deleting a host needs an admin."
    />
  ),
  "error-409": () => (
    <ErrorPage
      frame={frame()}
      status={409}
      message="The job has ended already."
    />
  ),
  "error-cannot-save": () => (
    <ErrorPage
      frame={frame()}
      status={503}
      code="storage_cannot_write"
      message="The server cannot save anything, because its disk is full. Nothing was saved."
    />
  ),
  "error-500": () => <ErrorPage frame={frame()} status={500} id="3f9a11c077de" />,
  "error-nobody": () => <ErrorPage frame={NOBODY} status={404} />,
  "not-found": () => <NotFoundPage frame={frame()} />,
};
