/** Uploads sound files one after another, so that they are said in the order in which they were chosen. */

import type { Segment } from "../core/segment.ts";
import type { Api } from "./api.ts";
import { isAborted, messageOf, Problem } from "./errors.ts";

export interface Upload {
  readonly id: number;
  readonly name: string;
  readonly state: "waiting" | "sending" | "failed";
  /** Bytes. */
  readonly sent: number;
  readonly total: number;
  /** Why it failed, as a sentence for the viewer; empty where it has not. */
  readonly error: string;
  /** A second attempt may succeed. */
  readonly retryable: boolean;
}

export interface UploadsListener {
  changed(uploads: readonly Upload[]): void;
  accepted(segment: Segment, name: string): void;
}

interface Job {
  upload: Upload;
  readonly room: string;
  readonly file: Blob;
  readonly type: string;
  readonly abort: AbortController;
}

export class Uploads {
  readonly #api: Api;
  readonly #listener: UploadsListener;
  #jobs: readonly Job[] = [];
  #nextId = 1;
  #sending = false;

  constructor(api: Api, listener: UploadsListener) {
    this.#api = api;
    this.#listener = listener;
  }

  add(room: string, file: Blob, name: string, type: string): void {
    const upload: Upload = {
      id: this.#nextId++,
      name,
      state: "waiting",
      sent: 0,
      total: file.size,
      error: "",
      retryable: false,
    };
    this.#jobs = [...this.#jobs, { upload, room, file, type, abort: new AbortController() }];
    this.#report();
    void this.#sendWaiting();
  }

  /** Stops an upload, or dismisses one that failed. */
  remove(id: number): void {
    const job = this.#jobs.find(({ upload }) => upload.id === id);
    this.#forget(job);
    job?.abort.abort();
  }

  retry(id: number): void {
    const job = this.#jobs.find(({ upload }) => upload.id === id);
    if (job?.upload.state !== "failed") return;
    this.#update(job, { state: "waiting", sent: 0, error: "" });
    void this.#sendWaiting();
  }

  /** Stops and forgets all uploads. */
  clear(): void {
    const jobs = this.#jobs;
    this.#jobs = [];
    for (const { abort } of jobs) abort.abort();
    this.#report();
  }

  async #sendWaiting(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    for (let job = this.#nextWaiting(); job !== undefined; job = this.#nextWaiting()) await this.#send(job);
    this.#sending = false;
  }

  #nextWaiting(): Job | undefined {
    return this.#jobs.find(({ upload }) => upload.state === "waiting");
  }

  async #send(job: Job): Promise<void> {
    this.#update(job, { state: "sending" });
    try {
      const { room, file, type, abort } = job;
      const segment = await this.#api.speakFile(room, file, job.upload.name, type, abort.signal, (sent) =>
        this.#update(job, { sent: Math.min(sent, file.size) }),
      );
      this.#forget(job);
      this.#listener.accepted(segment, job.upload.name);
    } catch (error) {
      if (isAborted(error)) return this.#forget(job);
      const retryable = !(error instanceof Problem) || error.status === 429 || error.status >= 500;
      this.#update(job, { state: "failed", error: messageOf(error), retryable });
    }
  }

  #update(job: Job, change: Partial<Upload>): void {
    job.upload = { ...job.upload, ...change };
    this.#report();
  }

  #forget(job: Job | undefined): void {
    this.#jobs = this.#jobs.filter((one) => one !== job);
    this.#report();
  }

  #report(): void {
    this.#listener.changed(this.#jobs.map(({ upload }) => upload));
  }
}
