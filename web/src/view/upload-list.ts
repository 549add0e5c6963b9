/** The list of uploads: what waits, is being sent, or failed. */

import { formatSize } from "../core/labels.ts";
import type { Upload } from "../io/uploads.ts";
import { find, icon, iconButton, make } from "./dom.ts";

export interface UploadListListener {
  retry(id: number): void;
  remove(id: number): void;
}

export class UploadList {
  readonly #list = find("uploads", HTMLUListElement);
  readonly #listener: UploadListListener;

  constructor(listener: UploadListListener) {
    this.#listener = listener;
  }

  render(uploads: readonly Upload[]): void {
    this.#list.hidden = uploads.length === 0;
    const focused = document.activeElement?.getAttribute("data-focus");
    this.#list.replaceChildren(...uploads.map((upload) => this.#row(upload)));
    if (focused) this.#list.querySelector<HTMLElement>(`[data-focus="${focused}"]`)?.focus();
  }

  #row(upload: Upload): HTMLLIElement {
    const { id, name, state, retryable } = upload;
    const failed = state === "failed";
    const body = make("div", { class: "body" }, make("p", { class: "title", title: name }, name));
    body.append(make("p", { class: failed ? "error" : "meta" }, detailOf(upload)));
    if (state === "sending") {
      body.append(make("progress", { max: "100", value: String(percentOf(upload)), "aria-label": `Sending ${name}` }));
    }
    const tile = make("span", { class: "tile" }, icon("upload"));
    const row = make("li", { class: "upload", "data-state": state }, tile, body);
    if (failed && retryable) {
      const retry = () => this.#listener.retry(id);
      row.append(iconButton("retry", `Send ${name} again`, retry, { "data-focus": `retry-${id}` }));
    }
    const remove = () => this.#listener.remove(id);
    const label = failed ? `Dismiss ${name}` : `Stop sending ${name}`;
    row.append(iconButton("close", label, remove, { "data-focus": `remove-${id}` }));
    return row;
  }
}

function percentOf({ sent, total }: Upload): number {
  return total === 0 ? 0 : Math.round((100 * sent) / total);
}

function detailOf(upload: Upload): string {
  const size = formatSize(upload.total);
  switch (upload.state) {
    case "waiting":
      return `Next · ${size}`;
    case "sending": {
      const percent = percentOf(upload);
      return percent < 100 ? `Sending ${percent} % of ${size}` : "The service looks at it…";
    }
    case "failed":
      return upload.error;
  }
}
