/**
 * Tells Slidev when a focused element has been removed from the page, such as a terminal whose slide was turned.
 *
 * Chromium then fires `blur`, Firefox does not (WHATWG HTML leaves it out). Slidev would believe that the user still
 * types in the element, and ignore its shortcuts and the clicker.
 */
export function reportLostFocus(): void {
  let focused: EventTarget | null = null
  window.addEventListener('focusin', ({ target }) => (focused = target))
  window.addEventListener('focusout', () => (focused = null))
  // Capture phase, to run before the shortcut of this key.
  window.addEventListener(
    'keydown',
    () => {
      if (!(focused instanceof Element) || focused.isConnected) return
      focused = null
      window.dispatchEvent(new FocusEvent('blur'))
    },
    { capture: true },
  )
}
