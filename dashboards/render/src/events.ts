// What happened meanwhile, as lines over the panels.

/** An annotation: a moment, or a span of time where it has an end. */
export interface Event {
  time: number;
  timeEnd: number;
  name: string;
  text: string;
  colour: string;
}
