// For what is opened by a gesture and typed into at once: `ref={takeFocus}`.

/** `autofocus` works once for each document; this works each time the element comes. */
export function takeFocus(element: HTMLElement | null): void {
  element?.focus({ preventScroll: true });
}
