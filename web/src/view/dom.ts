/** The functions through which the views touch the DOM. Elements are found by id and type, and made without markup. */

/** @throws {Error} index.html has no such element. */
export function find<T extends Element>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`the page has no ${type.name} #${id}`);
  return element;
}

type Props = Readonly<Record<string, string | boolean | (() => void)>>;

/** Makes an element. In `props` a function listens for clicks, true is an empty attribute, false is none. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") element.addEventListener("click", value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** An icon of the sprite in index.html. */
export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

export function setIcon(button: HTMLElement, name: string): void {
  button.querySelector("use")?.setAttribute("href", `#i-${name}`);
}

/** A small button that shows only an icon; `label` is its accessible name and tooltip. */
export function iconButton(name: string, label: string, onclick: () => void, props: Props = {}): HTMLButtonElement {
  const all = { type: "button", class: "ghost only-icon", "aria-label": label, title: label, onclick, ...props };
  return make("button", all, icon(name));
}

/** Sets a text only where it differs: screen readers would announce an unchanged live region again. */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Makes `children` the children of `parent`. An element that is in its place is not moved, and so keeps its focus. */
export function placeChildren(parent: Element, children: readonly Element[]): void {
  const wanted = new Set(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  children.forEach((child, index) => {
    const there = parent.children.item(index);
    if (there !== child) parent.insertBefore(child, there);
  });
}

export function isPressed(button: HTMLButtonElement): boolean {
  return button.getAttribute("aria-pressed") === "true";
}

export function setPressed(button: HTMLButtonElement, pressed: boolean): void {
  button.setAttribute("aria-pressed", String(pressed));
}
