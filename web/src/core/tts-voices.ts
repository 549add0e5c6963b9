/** The voices that the service offers for text (docs/api.md), and how they appear in a list. */

export interface TtsVoice {
  readonly id: string;
  readonly name?: string | null;
  /** Two providers may have a voice of the same id. */
  readonly provider?: string | null;
}

/** One label for each voice; voices of the same name carry their provider too. */
export function voiceLabels(voices: readonly TtsVoice[]): readonly string[] {
  const names = voices.map(({ id, name }) => name || id);
  return voices.map(({ provider }, index) => {
    const name = names[index] ?? "";
    const unique = names.indexOf(name) === names.lastIndexOf(name);
    return unique || !provider ? name : `${name} (${provider})`;
  });
}

/** Index in `voices` of the voice with the id and provider of `chosen`; −1 where there is none. */
export function indexOfVoice(voices: readonly TtsVoice[], chosen: TtsVoice | undefined): number {
  return voices.findIndex(({ id, provider }) => id === chosen?.id && provider === chosen.provider);
}
