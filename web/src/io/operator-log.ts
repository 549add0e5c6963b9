/** Details for the operator of the service, in the browser's console. Viewers see sentences without them. */

export function logForOperator(text: string): void {
  // biome-ignore lint/suspicious/noConsole: the one place that writes to the console
  console.warn(text);
}
