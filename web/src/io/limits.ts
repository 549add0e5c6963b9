/** Reads the service's limits from `page.json`, which it serves beside the page. */

import { type Limits, NO_LIMITS } from "../core/limits.ts";

/** No limits where the file cannot be read: the service then refuses by itself. */
export async function loadLimits(url: URL): Promise<Limits> {
  try {
    const response = await fetch(url);
    if (!response.ok) return NO_LIMITS;
    const { max_upload, max_text } = (await response.json()) as { max_upload?: number; max_text?: number };
    return { maxUpload: max_upload ?? null, maxText: max_text ?? null };
  } catch {
    return NO_LIMITS;
  }
}
