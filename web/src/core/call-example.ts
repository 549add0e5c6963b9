/** The commands with which another program makes the avatar speak, to copy into a shell. */

/** Stands for the room's name where it is not known yet. */
export const ROOM_PLACEHOLDER = "ROOM";

/** `api` is the base URL of the API. `withKey`: the service asks for a key; the command takes it from `$KEY`. */
export function callExample(api: URL, room: string | null, withKey: boolean): string {
  const url = new URL(`rooms/${encoded(room ?? ROOM_PLACEHOLDER)}/segments`, api);
  const key = withKey ? ` -H "Authorization: Bearer $KEY"` : "";
  return [
    `curl '${url}'${key} -H 'Content-Type: application/json' -d '{"text": "Good morning!"}'`,
    `curl '${url}'${key} -F file=@greeting.wav`,
  ].join("\n\n");
}

/** Without quotes, so that it can stand between single quotes in a shell. */
function encoded(room: string): string {
  return encodeURIComponent(room).replaceAll("'", "%27");
}
