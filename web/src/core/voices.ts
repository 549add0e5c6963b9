/** The voices that text can be spoken with (docs/api.md), and how a person tells them apart. */

export interface Voice {
  readonly id: string;
  readonly name?: string | null;
  /** Needed where two providers have a voice of one id. */
  readonly provider?: string | null;
}

/** What stands in a list for each; two of one name are told apart by who gives them. */
export function labels(voices: readonly Voice[]): readonly string[] {
  const names = voices.map(({ id, name }) => name || id);
  return voices.map(({ provider }, index) => {
    const name = names[index] ?? "";
    const alone = names.indexOf(name) === names.lastIndexOf(name);
    return alone || !provider ? name : `${name} (${provider})`;
  });
}

/** Where the one that was chosen stands in another list; -1: it is gone. */
export function placeOf(voices: readonly Voice[], chosen: Voice | undefined): number {
  return voices.findIndex(({ id, provider }) => id === chosen?.id && provider === chosen.provider);
}
