/** The list of segments and uploads: what is to be said, is being said, was said. */

import { isOver, positionAt, type Seen, type Segment, see } from "../core/segments.ts";
import { clock, errorOf, megabytes, RECEIPT_WORDS, STATE_MEANING, STATE_WORDS, titleOf } from "../core/words.ts";
import type { Upload } from "../io/uploads.ts";
import { find, icon, iconButton, make, setText } from "./dom.ts";

export interface QueueActions {
  cancel(segment: Segment): void;
  removeUpload(id: number): void;
  retryUpload(id: number): void;
}

const ICONS = { file: "file", url: "file", text: "text", live: "live" } as const;

interface Row {
  readonly item: HTMLLIElement;
  readonly bar: HTMLElement;
  readonly fill: HTMLElement;
  readonly time: HTMLElement;
  seen: Seen | undefined;
  /** What it shows now, so that an unchanged row keeps its focus. */
  shown: string;
}

export class QueueView {
  readonly #list = find("segments", HTMLOListElement);
  readonly #empty = find("empty", HTMLElement);
  readonly #uploads = find("uploads", HTMLUListElement);
  readonly #count = find("waiting-count", HTMLElement);
  readonly #dropQueued = find("drop-queued", HTMLButtonElement);
  readonly #earlier = find("earlier", HTMLButtonElement);
  readonly #actions: QueueActions;
  readonly #rows = new Map<string, Row>();
  #segments: readonly Segment[] = [];

  constructor(actions: QueueActions) {
    this.#actions = actions;
    setInterval(() => this.#advance(), 200);
  }

  /** `names` holds what this page called the files that it sent. */
  render(segments: readonly Segment[], names: ReadonlyMap<string, string>, more: boolean): void {
    this.#segments = segments;
    const now = performance.now();
    const known = new Set(segments.map(({ id }) => id));
    for (const [id, row] of this.#rows) {
      if (known.has(id)) continue;
      row.item.remove();
      this.#rows.delete(id);
    }
    segments.forEach((segment, index) => {
      const row = this.#row(segment, names.get(segment.id));
      row.seen = see(row.seen, segment, now);
      const there = this.#list.children.item(index);
      if (there !== row.item) this.#list.insertBefore(row.item, there);
    });
    const waiting = segments.filter(({ state }) => state === "queued").length;
    this.#count.hidden = waiting === 0;
    setText(this.#count, `${waiting} waiting`);
    this.#dropQueued.hidden = waiting < 2;
    this.#empty.hidden = segments.length > 0;
    this.#earlier.hidden = !more;
    this.#advance();
  }

  uploads(uploads: readonly Upload[]): void {
    this.#uploads.hidden = uploads.length === 0;
    const focused = document.activeElement?.getAttribute("data-focus");
    this.#uploads.replaceChildren(...uploads.map((upload) => this.#uploadRow(upload)));
    if (focused) this.#uploads.querySelector<HTMLElement>(`[data-focus="${focused}"]`)?.focus();
  }

  #row(segment: Segment, name: string | undefined): Row {
    const title = titleOf(segment, name);
    const shown = JSON.stringify([segment.state, segment.receipt, title, segment.audio?.duration, errorOf(segment)]);
    let row = this.#rows.get(segment.id);
    if (row?.shown === shown) return row;
    row ??= emptyRow();
    row.shown = shown;
    this.#rows.set(segment.id, row);
    this.#fill(row, segment, title);
    return row;
  }

  #fill(row: Row, segment: Segment, title: string): void {
    const { state, receipt } = segment;
    row.item.dataset.state = state;
    row.item.dataset.segment = segment.id;
    const said = RECEIPT_WORDS[receipt];
    const meta = make("p", { class: "meta" });
    meta.append(make("span", { class: "chip", title: STATE_MEANING[state] }, STATE_WORDS[state]));
    if (said) meta.append(make("span", { class: "receipt", "data-receipt": receipt, title: said.meaning }, said.word));
    meta.append(row.time);
    const body = make("div", { class: "body" }, make("p", { class: "title", title }, title), meta);
    const trouble = errorOf(segment);
    if (trouble) body.append(make("p", { class: "trouble" }, trouble));
    if (!isOver(segment)) body.append(row.bar);
    row.item.replaceChildren(make("span", { class: "tile" }, icon(ICONS[segment.source.kind])), body);
    if (!isOver(segment)) row.item.append(this.#cancelButton(segment, title));
  }

  #cancelButton(segment: Segment, title: string): HTMLButtonElement {
    const label = segment.state === "queued" ? `Cancel ${title}` : `Stop ${title}`;
    const cancel = () => {
      this.#actions.cancel(segment);
      this.#list.focus();
    };
    return iconButton("close", label, cancel);
  }

  /** Moves the times and bars of what plays. */
  #advance(): void {
    const now = performance.now();
    for (const segment of this.#segments) {
      const row = this.#rows.get(segment.id);
      if (row?.seen === undefined) continue;
      const duration = segment.audio?.duration ?? null;
      const position = positionAt(segment, row.seen, now);
      setText(row.time, timeOf(segment, position, duration));
      if (isOver(segment)) continue;
      row.bar.hidden = segment.state === "queued" || duration === null;
      if (row.bar.hidden || duration === null) continue;
      row.fill.style.transform = `scaleX(${Math.min(1, position / duration).toFixed(4)})`;
      row.bar.setAttribute("aria-valuenow", String(Math.round((100 * position) / duration)));
      row.bar.setAttribute("aria-valuetext", timeOf(segment, position, duration));
    }
  }

  #uploadRow({ id, name, state, sent, total, trouble, retryable }: Upload): HTMLLIElement {
    const percent = total === 0 ? 0 : Math.round((100 * sent) / total);
    const line = {
      waiting: `Next · ${megabytes(total)}`,
      sending: percent < 100 ? `Sending ${percent} % of ${megabytes(total)}` : "The service looks at it…",
      failed: trouble,
    }[state];
    const body = make("div", { class: "body" }, make("p", { class: "title", title: name }, name));
    body.append(make("p", { class: state === "failed" ? "trouble" : "meta" }, line));
    if (state === "sending") {
      body.append(make("progress", { max: "100", value: String(percent), "aria-label": `Sending ${name}` }));
    }
    const tile = make("span", { class: "tile" }, icon("upload"));
    const item = make("li", { class: "upload", "data-state": state }, tile, body);
    if (state === "failed" && retryable) {
      const retry = () => this.#actions.retryUpload(id);
      item.append(iconButton("retry", `Send ${name} again`, retry, { "data-focus": `retry-${id}` }));
    }
    const label = state === "failed" ? `Dismiss ${name}` : `Stop sending ${name}`;
    const remove = () => this.#actions.removeUpload(id);
    item.append(iconButton("close", label, remove, { "data-focus": `remove-${id}` }));
    return item;
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
    seen: undefined,
    shown: "",
  };
}

function timeOf(segment: Segment, position: number, duration: number | null): string {
  if (duration === null) return position > 0 ? clock(position) : "";
  const partly = segment.state === "playing" || segment.state === "paused" || segment.state === "interrupted";
  return partly ? `${clock(position)} of ${clock(duration)}` : clock(duration);
}
