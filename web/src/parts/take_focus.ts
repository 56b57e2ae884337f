// For what is opened by a gesture and typed into at once: `ref={takeFocus}`.

// Where it takes more than that, `useLayoutEffect` moves the focus: `useEffect` runs after the page is
// drawn, and on a busy machine the first letters that one types would go to nobody, or be a shortcut.

/** `autofocus` works once for each document; this works each time the element comes. */
export function takeFocus(element: HTMLElement | null): void {
  element?.focus({ preventScroll: true });
}
