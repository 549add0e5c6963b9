/** A link that brings the API key along: `http://…/#key=…`, as the service's log prints it for a development key. */

/** The key in the fragment of an address, and what is left of the fragment without it. */
export function keyInFragment(hash: string): { key: string | null; rest: string } {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const key = parts.get("key")?.trim() || null;
  parts.delete("key");
  const rest = parts.toString();
  return { key, rest: rest && `#${rest}` };
}
