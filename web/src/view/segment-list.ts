/** The list of segments: what plays and waits, and below it the history, which folds. */

import { groupLabel } from "../core/labels.ts";
import type { Segment } from "../core/segment.ts";
import type { SegmentHistory } from "../core/segment-history.ts";
import { arrange, isGroup, type UnsaidGroup } from "../core/segment-order.ts";
import { find, make, placeChildren, setText } from "./dom.ts";
import { SegmentRow } from "./segment-row.ts";

export interface SegmentListListener {
  cancel(segment: Segment): void;
  cancelWaiting(): void;
  showEarlier(): void;
}

const UPDATE_TIMES_EVERY = 200; // ms

/** Several segments behind one button. */
interface GroupRow {
  readonly element: HTMLLIElement;
  readonly button: HTMLButtonElement;
  readonly list: HTMLOListElement;
}

export class SegmentList {
  readonly #live = find("segments", HTMLOListElement);
  readonly #history = find("history-segments", HTMLOListElement);
  readonly #fold = find("history", HTMLDetailsElement);
  readonly #historyCount = find("history-count", HTMLElement);
  readonly #empty = find("empty", HTMLElement);
  readonly #waitingCount = find("waiting-count", HTMLElement);
  readonly #cancelWaiting = find("cancel-waiting", HTMLButtonElement);
  readonly #earlier = find("earlier", HTMLButtonElement);
  readonly #listener: SegmentListListener;
  #rows: ReadonlyMap<string, SegmentRow> = new Map();
  #groups: ReadonlyMap<string, GroupRow> = new Map();
  #clockStop: string | null = null;

  constructor(listener: SegmentListListener) {
    this.#listener = listener;
    this.#cancelWaiting.onclick = () => listener.cancelWaiting();
    this.#earlier.onclick = () => listener.showEarlier();
    setInterval(() => this.#updateTimes(), UPDATE_TIMES_EVERY);
  }

  render({ segments, names, waiting, cursor }: SegmentHistory): void {
    const { live, history } = arrange(segments);
    this.#rows = new Map(segments.map((segment) => [segment.id, this.#row(segment, names.get(segment.id))]));
    this.#groups = new Map(history.filter(isGroup).map((group) => [group.id, this.#group(group)]));
    placeChildren(this.#live, this.#elementsOf(live));
    placeChildren(
      this.#history,
      history.flatMap((entry) =>
        isGroup(entry) ? (this.#groups.get(entry.id)?.element ?? []) : this.#elementsOf([entry]),
      ),
    );
    this.#waitingCount.hidden = waiting.length === 0;
    setText(this.#waitingCount, `${waiting.length} waiting`);
    this.#cancelWaiting.hidden = waiting.length < 2;
    this.#empty.hidden = segments.length > 0;
    this.#fold.hidden = history.length === 0;
    setText(this.#historyCount, `${segments.length - live.length}${cursor === null ? "" : "+"}`);
    this.#earlier.hidden = cursor === null;
  }

  /** Why no position is known now, which stops the times of playing segments; null lets them run. */
  set clockStop(reason: string | null) {
    this.#clockStop = reason;
    for (const row of this.#rows.values()) row.clockStop = reason;
  }

  #elementsOf(segments: readonly Segment[]): readonly HTMLLIElement[] {
    return segments.flatMap(({ id }) => this.#rows.get(id)?.element ?? []);
  }

  #row(segment: Segment, name: string | undefined): SegmentRow {
    const row = this.#rows.get(segment.id);
    row?.show(segment, name);
    return row ?? this.#newRow(segment, name);
  }

  #newRow(segment: Segment, name: string | undefined): SegmentRow {
    const row = new SegmentRow(segment, name, (which) => this.#cancel(which));
    row.clockStop = this.#clockStop;
    return row;
  }

  #group(group: UnsaidGroup): GroupRow {
    const row = this.#groups.get(group.id) ?? emptyGroup();
    setText(row.button, groupLabel(group.state, group.segments.length));
    placeChildren(row.list, this.#elementsOf(group.segments));
    return row;
  }

  #cancel(segment: Segment): void {
    this.#listener.cancel(segment);
    this.#live.focus(); // the button will go with the segment's end
  }

  #updateTimes(): void {
    for (const row of this.#rows.values()) row.updateTime();
  }
}

function emptyGroup(): GroupRow {
  const list = make("ol", { class: "segments", hidden: true });
  const toggle = () => {
    list.hidden = !list.hidden;
    button.setAttribute("aria-expanded", String(!list.hidden));
  };
  const button = make("button", { type: "button", class: "ghost", "aria-expanded": "false", onclick: toggle });
  return { element: make("li", { class: "group" }, button, list), button, list };
}
