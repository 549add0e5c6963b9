/** What can go wrong outside this page. The message is a sentence for a person. */
export class Trouble extends Error {
  override readonly name: string = "Trouble";
}

/** The sentence to show for whatever was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof Trouble) return error.message;
  return `Something went wrong in this page: ${error instanceof Error ? error.message : String(error)}`;
}
