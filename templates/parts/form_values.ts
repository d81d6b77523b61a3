// What is in the inputs of a form that is made from a subject's shape.

/** The names of the inputs: a record's fields stand for the record. */
type Inputs<T> = {
  [K in keyof T]-?: NonNullable<T[K]> extends readonly unknown[] ? K
    : NonNullable<T[K]> extends object ? keyof NonNullable<T[K]>
    : K;
}[keyof T];

/** One text each: "on" or blank for a flag, one entry a line for a list. */
export type FormValues<T> = Record<Inputs<T> & string, string>;
