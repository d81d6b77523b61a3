// A page that is one form: where it lies, its heading, the fields, and the way out.
import type { Child } from "hono/jsx";
import { type FrameProps, Layout, type Place } from "../layout.tsx";
import { Csrf } from "./csrf.tsx";
import { type Errors, Problems } from "./field.tsx";

export interface FormPageProps {
  frame: FrameProps;
  /** The title of the browser window. */
  title: string;
  current: Place;
  /** The pages above this one, the outermost first. */
  crumbs?: { to: string; text: Child }[];
  heading: Child;
  lead?: string;
  to: string;
  button: string;
  /** Another way to send the form, between the button and Cancel. */
  otherButton?: Child;
  cancelTo: string;
  errors: Errors;
  /** The fields. */
  children: Child;
  /** Below the form. */
  after?: Child;
}

export function FormPage(props: FormPageProps) {
  const { frame, crumbs = [], heading, lead, errors } = props;
  return (
    <Layout {...frame} title={props.title} current={props.current}>
      <div class="narrow">
        {crumbs.length > 0 && (
          <p class="crumbs">
            {crumbs.map(({ to, text }, n) => (
              <>
                {n > 0 && " / "}
                <a href={to}>{text}</a>
              </>
            ))}
          </p>
        )}
        <div class="head">
          {lead === undefined ? <h1>{heading}</h1> : (
            <div>
              <h1>{heading}</h1>
              <p class="lead">{lead}</p>
            </div>
          )}
        </div>
        <form method="post" action={props.to} class="form">
          <Csrf token={frame.csrf} />
          <Problems errors={errors} />
          {props.children}
          <p class="actions">
            <button type="submit" class="primary">{props.button}</button>
            {props.otherButton}
            <a class="button" href={props.cancelTo}>Cancel</a>
          </p>
        </form>
        {props.after}
      </div>
    </Layout>
  );
}
