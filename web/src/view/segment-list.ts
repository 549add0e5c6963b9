/** The list of segments: waiting, playing and over. */

import { errorOf, formatDuration, RECEIPT_LABELS, STATE_DESCRIPTIONS, STATE_LABELS, titleOf } from "../core/labels.ts";
import { isOver, type Observation, observe, positionAt, type Segment } from "../core/segment.ts";
import type { SegmentHistory } from "../core/segment-history.ts";
import { find, icon, iconButton, make, setText } from "./dom.ts";

export interface SegmentListListener {
  cancel(segment: Segment): void;
  cancelWaiting(): void;
  showEarlier(): void;
}

const ICONS = { file: "file", url: "file", text: "text", live: "live" } as const;
const UPDATE_TIMES_EVERY = 200; // ms

interface Row {
  readonly item: HTMLLIElement;
  readonly bar: HTMLElement;
  readonly fill: HTMLElement;
  readonly time: HTMLElement;
  observed: Observation | undefined;
  /** Its content as a string: an unchanged row is not rebuilt, and so keeps its focus. */
  content: string;
}

export class SegmentList {
  readonly #list = find("segments", HTMLOListElement);
  readonly #empty = find("empty", HTMLElement);
  readonly #count = find("waiting-count", HTMLElement);
  readonly #cancelWaiting = find("cancel-waiting", HTMLButtonElement);
  readonly #earlier = find("earlier", HTMLButtonElement);
  readonly #listener: SegmentListListener;
  readonly #rows = new Map<string, Row>();
  #segments: readonly Segment[] = [];

  constructor(listener: SegmentListListener) {
    this.#listener = listener;
    this.#cancelWaiting.onclick = () => listener.cancelWaiting();
    this.#earlier.onclick = () => listener.showEarlier();
    setInterval(() => this.#updateTimes(), UPDATE_TIMES_EVERY);
  }

  render({ segments, names, waiting, cursor }: SegmentHistory): void {
    this.#segments = segments;
    const now = performance.now();
    this.#removeRowsBut(new Set(segments.map(({ id }) => id)));
    segments.forEach((segment, index) => {
      const row = this.#row(segment, names.get(segment.id));
      row.observed = observe(row.observed, segment, now);
      const there = this.#list.children.item(index);
      if (there !== row.item) this.#list.insertBefore(row.item, there);
    });
    this.#count.hidden = waiting.length === 0;
    setText(this.#count, `${waiting.length} waiting`);
    this.#cancelWaiting.hidden = waiting.length < 2;
    this.#empty.hidden = segments.length > 0;
    this.#earlier.hidden = cursor === null;
    this.#updateTimes();
  }

  #removeRowsBut(ids: ReadonlySet<string>): void {
    for (const [id, row] of this.#rows) {
      if (ids.has(id)) continue;
      row.item.remove();
      this.#rows.delete(id);
    }
  }

  #row(segment: Segment, name: string | undefined): Row {
    const title = titleOf(segment, name);
    const content = JSON.stringify([segment.state, segment.receipt, title, segment.audio?.duration, errorOf(segment)]);
    let row = this.#rows.get(segment.id);
    if (row?.content === content) return row;
    row ??= emptyRow();
    row.content = content;
    this.#rows.set(segment.id, row);
    this.#fill(row, segment, title);
    return row;
  }

  #fill(row: Row, segment: Segment, title: string): void {
    const { state, receipt } = segment;
    row.item.dataset.state = state;
    row.item.dataset.segment = segment.id;
    const meta = make("p", { class: "meta" });
    meta.append(make("span", { class: "chip", title: STATE_DESCRIPTIONS[state] }, STATE_LABELS[state]));
    const known = RECEIPT_LABELS[receipt];
    if (known) {
      meta.append(make("span", { class: "receipt", "data-receipt": receipt, title: known.description }, known.label));
    }
    meta.append(row.time);
    const body = make("div", { class: "body" }, make("p", { class: "title", title }, title), meta);
    const error = errorOf(segment);
    if (error) body.append(make("p", { class: "error" }, error));
    if (!isOver(segment)) body.append(row.bar);
    row.item.replaceChildren(make("span", { class: "tile" }, icon(ICONS[segment.source.kind])), body);
    if (!isOver(segment)) row.item.append(this.#cancelButton(segment, title));
  }

  #cancelButton(segment: Segment, title: string): HTMLButtonElement {
    const label = segment.state === "queued" ? `Cancel ${title}` : `Stop ${title}`;
    const cancel = () => {
      this.#listener.cancel(segment);
      this.#list.focus(); // the button will go with the segment's end
    };
    return iconButton("close", label, cancel);
  }

  /** Moves the times and bars of playing segments. */
  #updateTimes(): void {
    const now = performance.now();
    for (const segment of this.#segments) {
      const row = this.#rows.get(segment.id);
      if (row?.observed === undefined) continue;
      const duration = segment.audio?.duration ?? null;
      const position = positionAt(segment, row.observed, now);
      setText(row.time, timeOf(segment, position, duration));
      if (isOver(segment)) continue;
      row.bar.hidden = segment.state === "queued" || duration === null;
      if (row.bar.hidden || duration === null) continue;
      row.fill.style.transform = `scaleX(${Math.min(1, position / duration).toFixed(4)})`;
      row.bar.setAttribute("aria-valuenow", String(Math.round((100 * position) / duration)));
      row.bar.setAttribute("aria-valuetext", timeOf(segment, position, duration));
    }
  }
}

function emptyRow(): Row {
  const fill = make("i");
  const bar = make("div", { class: "bar", role: "progressbar", "aria-label": "Said so far", hidden: true }, fill);
  return {
    item: make("li", { class: "segment" }),
    bar,
    fill,
    time: make("span", { class: "time" }),
    observed: undefined,
    content: "",
  };
}

function timeOf(segment: Segment, position: number, duration: number | null): string {
  if (duration === null) return position > 0 ? formatDuration(position) : "";
  const partly = segment.state === "playing" || segment.state === "paused" || segment.state === "interrupted";
  return partly ? `${formatDuration(position)} of ${formatDuration(duration)}` : formatDuration(duration);
}
