/** Sound files on their way to the service: one after the other, so that they are said in the order they were given. */

import type { Segment } from "../core/segments.ts";
import { type Api, isAborted, Problem } from "./api.ts";
import { messageOf } from "./trouble.ts";

export interface Upload {
  readonly id: number;
  readonly name: string;
  readonly state: "waiting" | "sending" | "failed";
  /** Bytes. */
  readonly sent: number;
  readonly total: number;
  /** Why it failed: a sentence for a person. */
  readonly trouble: string;
  /** The same again may succeed. */
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
  readonly stop: AbortController;
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
      trouble: "",
      retryable: false,
    };
    this.#jobs = [...this.#jobs, { upload, room, file, type, stop: new AbortController() }];
    this.#changed();
    void this.#work();
  }

  /** Stops one that is on its way, puts away one that failed. */
  remove(id: number): void {
    const job = this.#jobs.find(({ upload }) => upload.id === id);
    this.#drop(job);
    job?.stop.abort();
  }

  retry(id: number): void {
    const job = this.#jobs.find(({ upload }) => upload.id === id);
    if (job?.upload.state !== "failed") return;
    this.#update(job, { state: "waiting", sent: 0, trouble: "" });
    void this.#work();
  }

  clear(): void {
    const jobs = this.#jobs;
    this.#jobs = [];
    for (const { stop } of jobs) stop.abort();
    this.#changed();
  }

  async #work(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    for (let job = this.#next(); job !== undefined; job = this.#next()) await this.#send(job);
    this.#sending = false;
  }

  #next(): Job | undefined {
    return this.#jobs.find(({ upload }) => upload.state === "waiting");
  }

  async #send(job: Job): Promise<void> {
    this.#update(job, { state: "sending" });
    try {
      const { room, file, type, stop } = job;
      const segment = await this.#api.speakFile(room, file, job.upload.name, type, stop.signal, (sent) =>
        this.#update(job, { sent: Math.min(sent, file.size) }),
      );
      this.#drop(job);
      this.#listener.accepted(segment, job.upload.name);
    } catch (error) {
      if (isAborted(error)) return this.#drop(job);
      const retryable = !(error instanceof Problem) || error.status === 429 || error.status >= 500;
      this.#update(job, { state: "failed", trouble: messageOf(error), retryable });
    }
  }

  #update(job: Job, change: Partial<Upload>): void {
    job.upload = { ...job.upload, ...change };
    this.#changed();
  }

  #drop(job: Job | undefined): void {
    this.#jobs = this.#jobs.filter((one) => one !== job);
    this.#changed();
  }

  #changed(): void {
    this.#listener.changed(this.#jobs.map(({ upload }) => upload));
  }
}
