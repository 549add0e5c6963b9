/** One row of the list of segments. */

import { errorOf, formatDuration, RECEIPT_LABELS, STATE_DESCRIPTIONS, STATE_LABELS, titleOf } from "../core/labels.ts";
import { isOver, type Observation, observe, positionAt, type Segment } from "../core/segment.ts";
import { icon, iconButton, make, setText } from "./dom.ts";

const ICONS = { file: "file", url: "file", text: "text", live: "live" } as const;

export class SegmentRow {
  readonly element = make("li", { class: "segment" });
  readonly #fill = make("i");
  readonly #bar = make("div", { class: "bar", role: "progressbar", "aria-label": "Said so far" }, this.#fill);
  readonly #time = make("span", { class: "time" });
  readonly #cancel: (segment: Segment) => void;
  #segment: Segment;
  #observed: Observation;
  #clockStop: string | null = null;
  /** Seconds at which the clock stopped. */
  #stoppedAt = 0;
  /** Its content as a string: an unchanged row is not rebuilt, and so keeps its focus. */
  #content = "";

  /** `name` is the name of the uploaded file, where this page uploaded it. */
  constructor(segment: Segment, name: string | undefined, cancel: (segment: Segment) => void) {
    this.#cancel = cancel;
    this.#segment = segment;
    this.#observed = observe(undefined, segment, performance.now());
    this.show(segment, name);
  }

  show(segment: Segment, name: string | undefined): void {
    this.#segment = segment;
    this.#observed = observe(this.#observed, segment, performance.now());
    const title = titleOf(segment, name);
    const content = JSON.stringify([segment.state, segment.receipt, title, segment.audio?.duration, errorOf(segment)]);
    if (content !== this.#content) this.#build(title);
    this.#content = content;
    this.updateTime();
  }

  /** Stops the time of a playing segment, and shows the reason; null lets it run. */
  set clockStop(reason: string | null) {
    if (reason !== null && this.#clockStop === null) this.#stoppedAt = this.#position();
    this.#clockStop = reason;
    this.updateTime();
  }

  /** Moves the time and the bar of a playing segment. */
  updateTime(): void {
    const { audio, state } = this.#segment;
    const stop = state === "playing" ? this.#clockStop : null;
    const duration = audio?.duration ?? null;
    const position = stop === null ? this.#position() : this.#stoppedAt;
    const time = [timeOf(this.#segment, position, duration), stop].filter(Boolean).join(" · ");
    this.element.toggleAttribute("data-clock-stopped", stop !== null);
    setText(this.#time, time);
    this.#bar.hidden = state === "queued" || duration === null;
    if (duration === null) return;
    this.#fill.style.transform = `scaleX(${Math.min(1, position / duration).toFixed(4)})`;
    this.#bar.setAttribute("aria-valuenow", String(Math.round((100 * position) / duration)));
    this.#bar.setAttribute("aria-valuetext", time);
  }

  /** Seconds. */
  #position(): number {
    return positionAt(this.#segment, this.#observed, performance.now());
  }

  #build(title: string): void {
    const { id, receipt, source, state } = this.#segment;
    const over = isOver(this.#segment);
    this.element.dataset.state = state;
    this.element.dataset.segment = id;
    const meta = make("p", { class: "meta" });
    meta.append(make("span", { class: "chip", title: STATE_DESCRIPTIONS[state] }, STATE_LABELS[state]));
    const known = RECEIPT_LABELS[receipt];
    if (known) {
      meta.append(make("span", { class: "receipt", "data-receipt": receipt, title: known.description }, known.label));
    }
    meta.append(this.#time);
    const body = make("div", { class: "body" }, make("p", { class: "title", title }, title), meta);
    const error = errorOf(this.#segment);
    if (error) body.append(make("p", { class: "error" }, error));
    if (!over) body.append(this.#bar);
    this.element.replaceChildren(make("span", { class: "tile" }, icon(ICONS[source.kind])), body);
    if (over) return;
    const label = state === "queued" ? `Cancel ${title}` : `Stop ${title}`;
    this.element.append(iconButton("close", label, () => this.#cancel(this.#segment)));
  }
}

function timeOf(segment: Segment, position: number, duration: number | null): string {
  if (duration === null) return position > 0 ? formatDuration(position) : "";
  const partly = segment.state === "playing" || segment.state === "paused" || segment.state === "interrupted";
  return partly ? `${formatDuration(position)} of ${formatDuration(duration)}` : formatDuration(duration);
}
